// A server that does everything wrong, over real sockets. Whatever it does, the client ends where it should: nothing is
// thrown, no promise stays open, no timer and no socket is left.
import assert from 'node:assert/strict';
import net from 'node:net';
import { acceptOf, decode, encode } from '../../../tests/scenarios/lib/frames.mjs';
import { join, next, story } from './lib/real.mjs';
import { GUID, settled, watch } from './lib/fake.mjs';

/** Listens, and does with every connection what `serve` says. */
async function hostile(s, serve) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  s.join({
    transcript: () => `[hostile server, ${sockets.size} connections]`,
    // Joined before the clients, so it ends after them: nobody may still be connected but for the end of the goodbye.
    async end() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `ws://127.0.0.1:${server.address().port}`;
}

/** The request of a client, then `then` with its accept value. */
function afterRequest(socket, then) {
  let head = '';
  socket.on('data', function read(bytes) {
    head += bytes.toString('latin1');
    const at = head.indexOf('\r\n\r\n');
    if (at < 0) return;
    socket.off('data', read);
    then(acceptOf(/^sec-websocket-key: (.*?)\r?$/im.exec(head)[1]));
  });
}

const answer101 = (accept, protocol = 'XSocketsNET') => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  + `Sec-WebSocket-Accept: ${accept}\r\n${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}\r\n`;
const frame = (payload, more = {}) => encode({ mask: false, payload: typeof payload === 'object' && !Buffer.isBuffer(payload) ? JSON.stringify(payload) : payload, ...more });

/** A proper server up to a point: `each` gets every message and the socket. */
function proper(each) {
  return (socket) => afterRequest(socket, (accept) => {
    let buffer = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      buffer = Buffer.concat([buffer, bytes]);
      for (let found; (found = decode(buffer));) {
        buffer = found.rest;
        if (found.frame.opcode === 1) each(JSON.parse(found.frame.payload), socket);
        else if (found.frame.opcode === 8) socket.end(frame(found.frame.payload, { opcode: 8 }));
      }
    });
    socket.write(answer101(accept));
  });
}

const hello = (message, socket) => {
  if (message.T === '7') socket.write(frame({ C: '', T: '8', D: 'null' }));
};

/** One of everything that can be pending. */
function everything(client) {
  const chat = client.controller('chat');
  return [client.open(), chat.open(), chat.invoke('x', 1), chat.request('y', 1, { bytes: new Uint8Array(3) }), chat.set('room', 1, { keep: true }),
    chat.get('room'), chat.subscribe('news/#', () => {}), chat.messages('z').next()].map(watch);
}

/** The client comes to its end by itself, and so does everything that was asked. */
async function ends(client, pending, why = ['exhausted']) {
  if (client.state !== 'closed') await next(client, 'close');
  await client.close();
  await settled();
  assert.ok(why.includes(client.told.find(({ type }) => type === 'close').why), JSON.stringify(client.told));
  for (const [i, { ended }] of pending.entries()) assert.ok(ended, `promise ${i} is still open`);
  assert.equal(client.timers.size, 0);
  assert.equal(client.waiting, 0);
}

const once = { reconnect: false, connectTimeout: 300 };

story('a server that closes at every byte of the handshake', async (s) => {
  const length = answer101('x'.repeat(28)).length;
  const cuts = Array.from({ length: length + 1 }, (_, i) => i);
  for (const close of ['end', 'resetAndDestroy']) {
    let cut;
    const url = await hostile(s, (socket) => afterRequest(socket, (accept) => socket.write(answer101(accept).slice(0, cut) || '', () => socket[close]())));
    for (cut of cuts) {
      const client = join(s, url, once);
      await ends(client, everything(client));
    }
  }
});

story('a server that closes before it has read', async (s) => {
  for (const close of ['end', 'destroy', 'resetAndDestroy']) {
    const url = await hostile(s, (socket) => socket[close]());
    const client = join(s, url, once);
    await ends(client, everything(client));
  }
});

story('a server that closes at every byte of its first frames', async (s) => {
  const answers = Buffer.concat([
    frame({ C: '', T: '8', D: 'null' }),
    frame({ C: 'chat', T: '2', D: JSON.stringify({ CI: GUID(1), PI: GUID(2), C: 'chat' }), N: 1 }),
    frame({ C: 'chat', T: 'say', D: '"hello"' }),
    frame(Buffer.concat([Buffer.from([30, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"C":"chat","T":"x","D":"{}"}  blob')]), { opcode: 2 }),
    frame('', { opcode: 9 }),
  ]);
  for (const close of ['end', 'resetAndDestroy']) {
    let cut;
    const url = await hostile(s, proper(({ T }, socket) => {
      if (T === '7') socket.write(answers.subarray(0, cut), () => socket[close]());
    }));
    for (cut = 0; cut <= answers.length; cut++) {
      const client = join(s, url, once);
      await ends(client, everything(client));
    }
  }
});

story('answers to the handshake that are none', async (s) => {
  const answers = {
    nothing: '',
    garbage: '\x00\xff garbage \r\n\r\n',
    'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
    ...Object.fromEntries([200, 301, 400, 401, 403, 404, 426, 429, 500, 503].map((status) => [`status ${status}`,
      `HTTP/1.1 ${status} No\r\nLocation: ws://127.0.0.1:1/\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\nno`])),
    'a wrong accept value': answer101('x'.repeat(28)),
    'no subprotocol': (accept) => answer101(accept, ''),
    'another subprotocol': (accept) => answer101(accept, 'mqtt'),
    'an extension nobody asked for': (accept) => answer101(accept).replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: x-evil\r\n\r\n'),
    'a head without end': `HTTP/1.1 101 Switching Protocols\r\n${'X: y\r\n'.repeat(10_000)}`,
    'a line without end': `HTTP/1.1 101 ${'x'.repeat(200_000)}`,
  };
  for (const [name, answer] of Object.entries(answers)) {
    const url = await hostile(s, (socket) => afterRequest(socket, (accept) => {
      socket.write(typeof answer === 'function' ? answer(accept) : answer, 'latin1');
    }));
    const client = join(s, url, once);
    await ends(client, everything(client));
    assert.deepEqual(client.told.filter(({ type }) => type === 'open'), [], name);
  }
});

story('frames that are none', async (s) => {
  const frames = {
    'a reserved bit': frame('{}', { rsv: 4 }),
    'all reserved bits': frame('{}', { rsv: 7 }),
    'an unknown opcode': frame('{}', { opcode: 3 }),
    'an unknown control frame': frame('', { opcode: 11 }),
    'a masked frame': frame('{}', { mask: true }),
    'a continuation of nothing': frame('{}', { opcode: 0 }),
    'a fragment and then another message': Buffer.concat([frame('{', { fin: false }), frame('}')]),
    'a fragmented ping': frame('x', { opcode: 9, fin: false }),
    'a long ping': frame('x'.repeat(126), { opcode: 9 }),
    'no UTF-8': frame(Buffer.from([0xff, 0xfe])),
    'half a character': frame(Buffer.from([0xe2, 0x82])),
    'a length of 2^63': frame('', { length: 64, announce: 2n ** 63n }),
    'a length of 2^53': frame('', { length: 64, announce: 2n ** 53n }),
    'a close frame of one byte': frame(Buffer.from([3]), { opcode: 8 }),
    'a close code that must not be sent': frame(Buffer.from([0x03, 0xed]), { opcode: 8 }),
    'a close code below all': frame(Buffer.from([0, 0]), { opcode: 8 }),
    'a close reason that is no UTF-8': frame(Buffer.from([0x03, 0xe8, 0xff]), { opcode: 8 }),
    'noise': Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 2654435761) >>> 24)),
  };
  for (const [name, bytes] of Object.entries(frames)) {
    for (const moment of ['before', 'after']) {
      const url = await hostile(s, proper((message, socket) => {
        if (moment === 'after') hello(message, socket);
        if (message.T === '7') socket.write(bytes);
      }));
      const client = join(s, url, { ...once, connectTimeout: moment === 'after' ? 10_000 : 300, heartbeat: { interval: 50, timeout: 50 } });
      const pending = everything(client);
      await ends(client, pending);
      assert.equal(client.told.some(({ type }) => type === 'open'), moment === 'after', name);
    }
  }
});

story('messages that are none leave the client open', async (s) => {
  const wrong = ['', 'garbage', 'null', '[]', '{}', '{"C":1,"T":2,"D":3}', '{"C":"chat","T":"say"}', '{"C":"chat","T":"say","D":"bare"}',
    '{"__proto__":{"x":1},"C":"__proto__","T":"__proto__","D":"{}"}', '{"C":"","T":"4","D":"x"}', '{"C":"chat","T":"2","D":"x"}',
    Buffer.alloc(0), Buffer.alloc(8), Buffer.from('garbage!garbage'), 'x'.repeat(1_000_000)];
  const url = await hostile(s, proper((message, socket) => {
    hello(message, socket);
    if (message.T === 'now') {
      for (const payload of wrong) socket.write(frame(payload, { opcode: typeof payload === 'string' ? 1 : 2 }));
      socket.write(frame({ C: 'chat', T: 'now', D: '"still here"', N: message.N }));
    }
  }));
  const client = join(s, url);
  await client.open();
  const heard = [];
  client.controller('chat').on('#', (data) => heard.push(data));
  assert.equal(await client.controller('chat').invoke('now'), 'still here');
  assert.equal(client.state, 'open');
  assert.deepEqual(heard, []);
  assert.equal(client.told.filter(({ type }) => type === 'error').length, wrong.length - 1);
});

story('a server that never answers', async (s) => {
  const stages = {
    'does not read': () => {},
    'reads only': (socket) => socket.resume(),
    'shakes hands and says nothing': proper(() => {}),
    'answers an octet at a time': (socket) => afterRequest(socket, () => {
      const drip = () => { if (socket.writable) socket.write('H', () => setImmediate(drip)); };
      drip();
    }),
  };
  for (const [name, serve] of Object.entries(stages)) {
    const url = await hostile(s, serve);
    const client = join(s, url, { connectTimeout: 50, reconnect: { attempts: 2, base: 1 } });
    const pending = everything(client);
    await ends(client, pending);
    assert.equal(client.told.filter(({ type, error }) => type === 'reconnecting' && error).length, 2, name);
  }
});

story('a server that says hello and then nothing: every promise has its timeout', async (s) => {
  const url = await hostile(s, proper(hello));
  const client = join(s, url, { timeout: 50, heartbeat: false });
  await client.open();
  const chat = client.controller('chat');
  const asked = [chat.open(), chat.invoke('x'), chat.request('x'), chat.set('a', 1), chat.get('a'), chat.subscribe('x'), chat.messages('y').next()];
  for (const one of asked) await assert.rejects(one, { code: 'timeout' });
  assert.equal(client.state, 'open');
  assert.equal(client.timers.size, 0);
});

story('a server that does not say goodbye is left after a while', async (s) => {
  const url = await hostile(s, (socket) => afterRequest(socket, (accept) => {
    socket.write(answer101(accept));
    socket.once('data', (bytes) => hello(JSON.parse(decode(bytes).frame.payload), socket));
  }));
  const client = join(s, url);
  await client.open();
  await client.close();
  assert.equal(client.state, 'closed');
  assert.equal(client.timers.size, 0);
});

story('a server that throws everybody out at once is not stormed', async (s) => {
  let visits = 0;
  const url = await hostile(s, proper((message, socket) => {
    visits++;
    hello(message, socket);
    socket.end(frame(Buffer.from([0x03, 0xe9]), { opcode: 8 }));
  }));
  const client = join(s, url, { reconnect: { base: 1, cap: 1000, attempts: 6 }, platform: { random: () => 0.999 } });
  await ends(client, [watch(client.open())]);
  assert.equal(visits, 7);
  // Each wait is twice the one before, although every connection came about.
  assert.deepEqual(client.told.filter(({ type }) => type === 'reconnecting').map(({ delay, code }) => [Math.round(delay), code]),
    [1, 2, 4, 8, 16, 32].map((delay) => [delay, 1001]));
});

story('a server that refuses is not asked again', async (s) => {
  for (const [sends, why, message] of [
    [frame(Buffer.concat([Buffer.from([0x03, 0xf0]), Buffer.from('You are banned')]), { opcode: 8 }), 'refused', 'The server refused: You are banned'],
    [frame({ C: '', T: '0', D: '"Wrong token"' }), 'unauthorized', 'Authentication failed: Wrong token'],
  ]) {
    let visits = 0;
    const url = await hostile(s, proper((_, socket) => {
      visits++;
      socket.end(sends);
    }));
    const client = join(s, url);
    const pending = everything(client);
    await ends(client, pending, [why]);
    assert.equal(pending[0].ended.error.message, message);
    assert.equal(visits, 1);
  }
});
