import { cryptoSuite } from './crypto-suite.ts';

cryptoSuite();
