// The planted leak of scripts/egress.mjs: a page without headers and guard that tries to reach another host by number, by name and by
// WebRTC. A meter that does not move for it proves nothing.
import { createServer } from 'node:http';
import { chromium } from '@playwright/test';
import { chromiumFlags, requireChromium } from './chromium.mjs';
import { farAddress } from './egress.mjs';

const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' });
  response.end('<!doctype html><html lang="en"><title>Leak</title>');
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const browser = await chromium.launch({ executablePath: requireChromium(), args: [...chromiumFlags] });
const page = await browser.newPage();
await page.goto(`http://localhost:${server.address().port}/`);
await page.evaluate(async (far) => {
  void fetch(`http://${far}/planted`, { mode: 'no-cors' }).catch(() => {});
  new Image().src = 'http://planted.counterpart.test/leak.png';
  const connection = new RTCPeerConnection({ iceServers: [{ urls: `stun:${far}:3478` }] });
  connection.createDataChannel('leak');
  await connection.setLocalDescription(await connection.createOffer());
  await new Promise((done) => setTimeout(done, 1500));
}, farAddress);
await browser.close();
server.closeAllConnections();
server.close();
