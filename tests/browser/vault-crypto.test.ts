import { cryptoSuite } from '../conformance/crypto-suite.ts';

cryptoSuite();
