// The far end of scripts/egress.mjs: the only host in the world of a metered run. Takes its end of the cable, answers every name with
// its own address, and prints each name that was asked for, a line each. Its packets are counted from outside, in its /proc/net/dev.
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { farAddress } from './egress.mjs';

const ip = (...args) => spawnSync('ip', args).status === 0;

/** The name in the first question of a DNS query. */
function nameIn(query) {
  const labels = [];
  for (let at = 12; at < query.length && query[at] !== 0; at += query[at] + 1) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  }
  return labels.join('.');
}

/** One A record with our own address, to whatever was asked. */
function answerTo(query) {
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 6);
  head.writeUInt32BE(0, 8);
  const question = query.subarray(12, query.indexOf(0, 12) + 5);
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...farAddress.split('.').map(Number)]);
  return Buffer.concat([head, question, record]);
}

while (!ip('link', 'show', 'far')) await new Promise((done) => setTimeout(done, 20));
ip('link', 'set', 'lo', 'up');
ip('link', 'set', 'far', 'addrgenmode', 'none');
ip('addr', 'add', `${farAddress}/24`, 'dev', 'far');
ip('link', 'set', 'far', 'up');
const names = createSocket('udp4');
names.on('message', (query, { address, port }) => {
  console.log(nameIn(query));
  names.send(answerTo(query), port, address);
});
names.bind(53, () => console.log('ready'));
