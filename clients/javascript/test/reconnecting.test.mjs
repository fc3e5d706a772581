// When and how a client comes back, and what it brings with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUID, World, settled, watch } from './lib/fake.mjs';

test('the next attempt has a time of its own between 0 and the bound, which doubles up to the cap', async () => {
  const world = new World();
  world.dice = () => 0.999;
  const client = world.client({ reconnect: { base: 100, cap: 1000 } });
  client.open();
  for (const bound of [100, 200, 400, 800, 1000, 1000]) {
    await settled();
    world.socket.end();
    const [{ delay }] = world.told('reconnecting');
    assert.equal(delay, 0.999 * bound);
    await world.clock.pass(delay - 1);
    assert.equal(client.state, 'waiting');
    await world.clock.pass(2);
    assert.equal(client.state, 'connecting');
  }
  await world.over(client);
});

test('full jitter: over many clients the delays are spread evenly from 0 to the bound', async () => {
  // A generator of our own, so that the test means the same every time.
  let seed = 20260131;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const CLIENTS = 1000, BINS = 20, ATTEMPTS = 4;
  const delays = Array.from({ length: ATTEMPTS }, () => []);
  for (let i = 0; i < CLIENTS; i++) {
    const world = new World();
    world.dice = random;
    const client = world.client({ reconnect: { base: 1000, cap: 4000 }, WebSocket: class { constructor() { world.sockets.push(this); } close() {} } });
    client.open();
    for (let n = 0; n < ATTEMPTS; n++) {
      await null; await null; await null; await null;
      world.socket.readyState = 3;
      world.socket.onclose({ code: 1001, reason: 'the server stops' });
      delays[n].push(world.told('reconnecting')[0].delay);
      client.retry();
    }
    void client.close();
  }
  for (const [n, bound] of [1000, 2000, 4000, 4000].entries()) {
    const bins = new Array(BINS).fill(0);
    for (const delay of delays[n]) {
      assert.ok(delay >= 0 && delay < bound);
      bins[Math.floor(delay / bound * BINS)]++;
    }
    // Chi-squared with 19 degrees of freedom: above 43.8 once in a thousand.
    const expected = CLIENTS / BINS;
    const chi2 = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    assert.ok(chi2 < 43.8, `attempt ${n}: ${chi2}, ${bins}`);
    const mean = delays[n].reduce((sum, delay) => sum + delay, 0) / CLIENTS;
    assert.ok(Math.abs(mean - bound / 2) < bound * 0.03, `attempt ${n}: mean ${mean}`);
  }
});

test('the default: up to one second at first, never more than thirty', async () => {
  const world = new World();
  world.dice = () => 1;
  const client = world.client();
  client.open();
  const delays = [];
  for (let i = 0; i < 8; i++) {
    await settled();
    world.socket.end();
    delays.push(world.told('reconnecting')[0].delay);
    await world.dialled();
  }
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  await world.over(client);
});

test('a connection that held for ten seconds starts the count anew, a shorter one does not', async () => {
  const world = new World();
  const [client] = await world.opened({ reconnect: { base: 100 } });
  const lose = async (after) => {
    await world.clock.pass(after);
    await world.again(1001, 'the server stops');
    return world.told('reconnecting')[0].attempt;
  };
  assert.deepEqual([await lose(0), await lose(9999), await lose(9999), await lose(10_000), await lose(5)], [1, 2, 3, 1, 2]);
  await world.over(client);
});

test('reconnect: false makes the first loss the end, attempts bounds them', async () => {
  for (const [reconnect, dialled] of [[false, 1], [{ attempts: 2 }, 3]]) {
    const world = new World();
    const client = world.client({ reconnect });
    const opening = watch(client.open());
    for (let i = 0; i < dialled; i++) {
      if (i > 0) await world.dialled();
      await settled();
      world.socket.end(1006);
    }
    await settled();
    assert.equal(client.state, 'closed');
    assert.equal(world.sockets.length, dialled);
    assert.deepEqual(world.told('close').map(({ why, code }) => [why, code]), [['exhausted', 1006]]);
    assert.equal(opening.ended.error.code, 'failed');
    assert.equal(world.clock.timers.size, 0);
  }
});

test('decide is asked, and obeyed', async () => {
  const world = new World();
  const asked = [];
  const answers = [undefined, 12_345, -5, 'x', () => { throw new Error('confused'); }, false];
  const client = world.client({
    reconnect: {
      decide: (loss, attempt) => {
        asked.push([loss.code, loss.reason, attempt]);
        const answer = answers.shift();
        return typeof answer === 'function' ? answer() : answer;
      },
    },
  });
  client.open();
  const delays = [];
  for (let i = 0; i < 5; i++) {
    await settled();
    world.socket.end(4000 + i, 'why');
    delays.push(...world.events.filter(({ type }) => type === 'reconnecting').slice(-1).map(({ delay }) => delay));
    await world.dialled();
  }
  await settled();
  world.socket.end(4005, 'why');
  assert.deepEqual(delays, [500, 12_345, 0, 4000, 8000]);
  assert.deepEqual(asked, [0, 1, 2, 3, 4, 5].map((i) => [4000 + i, 'why', i]));
  assert.equal(client.state, 'closed');
  assert.deepEqual(world.told('error', 'close').map(({ error, why }) => why ?? error.message), ['confused', 'exhausted']);
  assert.equal(world.clock.timers.size, 0);
});

test('decide may close the client', async () => {
  const world = new World();
  const client = world.client({ reconnect: { decide: () => void client.close() } });
  client.open();
  await settled();
  world.socket.end();
  assert.equal(client.state, 'closed');
  assert.deepEqual(world.told('close', 'reconnecting').map(({ why }) => why), ['closed']);
  assert.equal(world.clock.timers.size, 0);
});

test('what the close code means: refused is the end, all else is not', async () => {
  for (const code of [1000, 1001, 1002, 1003, 1006, 1007, 1009, 1011, 1012, 1013, 4001]) {
    const world = new World();
    const [client] = await world.opened();
    world.socket.end(code, 'x');
    assert.equal(client.state, 'waiting', String(code));
    assert.deepEqual(world.told('reconnecting').map(({ code: told, reason }) => [told, reason]), [[code, 'x']]);
    await world.over(client);
  }
  // The daemon's words for a client that is not refused, only slow or silent.
  for (const reason of ['the peer does not read', 'nothing came for too long']) {
    const world = new World();
    const [client] = await world.opened();
    world.socket.end(1008, reason);
    assert.equal(client.state, 'waiting', reason);
    await world.over(client);
  }
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const asked = watch(chat.invoke('x'));
  world.socket.end(1008, 'You are banned');
  await settled();
  assert.equal(client.state, 'closed');
  const [{ why, code, reason }] = world.told('close');
  assert.deepEqual([why, code, reason], ['refused', 1008, 'You are banned']);
  assert.equal(asked.ended.error.code, 'refused');
  assert.equal(asked.ended.error.message, 'The server refused: You are banned');
  assert.equal(world.clock.timers.size, 0);
});

test('failed authentication is the end, with the sentence of the server', async () => {
  for (const [D, sentence] of [['"Wrong token"', 'Wrong token'], ['bare words', 'bare words'], ['{"a":1}', '{"a":1}']]) {
    const world = new World();
    const client = world.client();
    const opening = watch(client.open());
    await settled();
    world.socket.accept();
    world.socket.raw(JSON.stringify({ C: '', T: '0', D }));
    world.socket.end(1008, '');
    await settled();
    assert.equal(opening.ended.error.code, 'unauthorized');
    assert.equal(opening.ended.error.message, `Authentication failed: ${sentence}`);
    assert.deepEqual(world.told('close').map(({ why, reason }) => [why, reason]), [['unauthorized', sentence]]);
    await world.clock.pass(1e6);
    assert.equal(world.sockets.length, 1);
    assert.equal(world.clock.timers.size, 0);
  }
});

test('after a reconnect the controllers are open, their properties set and their topics subscribed, before anything else', async () => {
  const world = new World();
  const [client, chat, clock] = await world.opened({}, 'chat', 'clock');
  client.controller('idle');
  chat.set('Room', 'attic', { keep: true });
  chat.set('mood', 'grey');
  chat.subscribe('news/#');
  clock.subscribe('Time');
  world.socket.confirm();
  await settled();
  world.socket.end(1001);
  chat.publish('say', 'while away');
  await world.dialled();
  await world.accept();
  assert.deepEqual(world.socket.confirm().map(({ C, T, D }) => [C, T, D]), [
    ['chat', '1', null], ['chat', 'set_room', 'attic'], ['chat', '5', { T: 'news/#', A: true }],
    ['clock', '1', null], ['clock', '5', { T: 'time', A: true }],
    ['idle', '1', null],
    ['chat', 'say', 'while away'],
  ]);
  await world.over(client);
});

test('a gap is told once everything is confirmed, with the time it took', async () => {
  const world = new World();
  world.dice = () => 0.3;
  const [client, chat] = await world.opened({}, 'chat');
  chat.subscribe('x');
  world.socket.confirm();
  world.socket.end();
  await world.clock.pass(300);
  await settled();
  world.socket.end();
  await world.clock.pass(600);
  world.events.length = 0;
  await world.accept();
  const frames = world.socket.took();
  assert.deepEqual(world.told('open', 'gap'), [{ type: 'open', reconnected: true }]);
  world.socket.confirm(frames.slice(0, 1));
  await settled();
  assert.deepEqual(world.told('gap'), []);
  world.socket.confirm(frames.slice(1));
  await settled();
  assert.deepEqual(world.told('gap'), [{ type: 'gap', away: 900 }]);
  await world.over(client);
});

test('a connection that is lost again before all is confirmed leaves one gap, from the first loss', async () => {
  const world = new World();
  world.dice = () => 0.3;
  const [client, chat] = await world.opened({}, 'chat');
  chat.subscribe('x');
  world.socket.confirm();
  world.socket.end();
  await world.clock.pass(300);
  await world.accept();
  world.socket.end();
  await world.clock.pass(600);
  await world.accept();
  assert.deepEqual(world.told('gap'), []);
  world.socket.confirm();
  await settled();
  assert.deepEqual(world.told('gap'), [{ type: 'gap', away: 900 }]);
  await world.again();
  world.socket.confirm();
  await settled();
  assert.deepEqual(world.told('gap'), [{ type: 'gap', away: 1200 }]);
  await world.over(client);
});

test('close() waits for the sockets of earlier connections too', async () => {
  const world = new World();
  const [client] = await world.opened({ heartbeat: { interval: 10, timeout: 10 } });
  await world.clock.pass(20); // no sign of life: dropped, and it says no goodbye
  assert.equal(client.state, 'waiting');
  const gone = watch(client.close());
  await world.clock.pass(1999);
  assert.equal(gone.ended, undefined);
  await world.clock.pass(1);
  assert.ok(gone.ended);
  assert.equal(world.clock.timers.size, 0);
});

test('a subscription that is not renewed is an error event, ends its stream and is forgotten', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  chat.subscribe('secret', (data) => heard.push(data));
  const stream = chat.messages('secret');
  world.socket.confirm();
  await settled();
  const reading = watch(stream.next());
  await world.again();
  const frames = world.socket.took();
  world.socket.confirm([frames[0]]);
  world.socket.refuse(frames[1], 'No longer yours');
  await settled();
  assert.deepEqual(world.told('error').map(({ error, controller, topic }) => [error.message, controller, topic]),
    [['No longer yours', 'chat', 'secret']]);
  assert.equal(reading.ended.error.message, 'No longer yours');
  world.socket.say('chat', 'secret', 1);
  assert.deepEqual(heard, []);
  await world.again();
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['1']);
  await world.over(client);
});

test('a controller that the server no longer knows is an error event, and is asked for again next time', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  await world.again();
  world.socket.refuse(world.socket.took()[0], 'Unknown controller');
  await settled();
  assert.equal(chat.state, 'closed');
  assert.equal(world.told('error')[0].controller, 'chat');
  await world.again();
  world.socket.confirm();
  assert.equal(chat.state, 'open');
  assert.equal(client.state, 'open');
  await world.over(client);
});

test('controllers tell when they are lost and open again', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const told = [];
  chat.addEventListener('open', ({ detail }) => told.push(['open', detail.id]));
  chat.addEventListener('close', ({ detail }) => told.push(['close', detail.lost]));
  assert.equal(chat.state, 'open');
  world.socket.end();
  assert.equal(chat.state, 'closed');
  assert.equal(chat.id, undefined);
  await world.dialled();
  await world.accept();
  assert.equal(chat.state, 'opening');
  world.socket.confirm();
  assert.deepEqual(told, [['close', true], ['open', GUID(9)]]);
  await world.over(client);
  assert.deepEqual(told.at(-1), ['close', true]);
});

test('after close() and open() everything is there again', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  chat.on('say', (data) => heard.push(data));
  chat.set('room', 'attic', { keep: true });
  chat.subscribe('news', (data) => heard.push(data));
  world.socket.confirm();
  await settled();
  await world.over(client);
  client.open();
  await world.accept();
  assert.deepEqual(world.socket.confirm().map(({ T }) => T), ['1', 'set_room', '5']);
  world.socket.say('chat', 'say', 1);
  world.socket.say('chat', 'news', 2);
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(world.told('open').slice(-1), [{ type: 'open', reconnected: false }]);
  await world.over(client);
});

test('a delay is always a time: base 0 after many attempts, decide without a number', async () => {
  for (const reconnect of [{ base: 0 }, { decide: () => NaN }]) {
    const world = new World();
    const client = world.client({ reconnect });
    client.open();
    await settled();
    for (let i = 0; i < 1030; i++) {
      world.socket.end();
      const [{ delay }] = world.told('reconnecting');
      assert.ok(delay >= 0 && delay <= 30_000, `attempt ${i}: ${delay}`);
      await world.dialled();
    }
    await world.over(client);
  }
});
