// Requests and their answers, and what waits for a connection.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { ServerError, XSocketsError } from 'xsockets';
import { World, settled, watch } from './lib/fake.mjs';

test('ten requests of one topic that are answered in reverse order get each its own answer', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const asked = Array.from({ length: 10 }, (_, i) => chat.invoke('Double', i));
  const frames = world.socket.took();
  assert.deepEqual(frames.map(({ C, T, D }) => [C, T, D]), Array.from({ length: 10 }, (_, i) => ['chat', 'double', i]));
  assert.equal(new Set(frames.map(({ N }) => N)).size, 10);
  for (const { C, T, D, N } of frames.reverse()) world.socket.say(C, T, 2 * D, N);
  assert.deepEqual(await Promise.all(asked), Array.from({ length: 10 }, (_, i) => 2 * i));
  await world.over(client);
});

test('an error rejects its own request at once and no other', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const asked = [1, 2, 3].map((i) => watch(chat.invoke('x', i)));
  const frames = world.socket.took();
  world.socket.refuse(frames[1], '"i" must be an integer');
  await settled();
  const { error } = asked[1].ended;
  assert.ok(error instanceof ServerError && error instanceof XSocketsError && error instanceof Error);
  assert.deepEqual([error.name, error.code, error.message, error.controller], ['ServerError', 'server', '"i" must be an integer', 'chat']);
  assert.equal(error.data.ClassName, 'System.Exception');
  assert.equal(asked[0].ended, undefined);
  world.socket.confirm([frames[0], frames[2]]);
  await settled();
  assert.deepEqual([asked[0].ended, asked[2].ended], [{ value: undefined }, { value: undefined }]);
  assert.deepEqual(world.told('error'), []);
  await world.over(client);
});

test('a void action resolves to undefined, one that answers null to null', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const nothing = chat.invoke('x'), nil = chat.invoke('x');
  const [first, second] = world.socket.took();
  world.socket.say('chat', '9', null, first.N);
  world.socket.say('chat', 'x', null, second.N);
  assert.equal(await nothing, undefined);
  assert.equal(await nil, null);
  await world.over(client);
});

test('an answer reaches its request and no listener, also one that nobody waits for', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  chat.on('x', (data) => heard.push(data));
  const asked = chat.invoke('x');
  const [{ N }] = world.socket.took();
  world.socket.say('chat', 'x', 'to all');
  world.socket.say('chat', 'x', 'to me', N);
  world.socket.say('chat', 'x', 'too late', N);
  world.socket.say('chat', 'x', 'for nobody', 99_999);
  assert.equal(await asked, 'to me');
  assert.deepEqual(heard, ['to all']);
  await world.over(client);
});

test('data travels as a string of JSON, what JSON does not know as null', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const all = [undefined, null, 0, -1.5, true, '', 'text', '"quoted"', '{"a":1}', [], [1, [2]], {}, { a: { b: 'é😀\ud800' } }, () => 1, Symbol('s'), NaN, new Date(0)];
  for (const data of all) void chat.invoke('x', data).catch(() => {});
  const wanted = [null, null, 0, -1.5, true, '', 'text', '"quoted"', '{"a":1}', [], [1, [2]], {}, { a: { b: 'é😀\ud800' } }, null, null, null, '1970-01-01T00:00:00.000Z'];
  assert.deepEqual(world.socket.took().map(({ D }) => D), wanted);
  const round = {};
  round.round = round;
  await assert.rejects(chat.invoke('x', round), TypeError);
  await assert.rejects(chat.invoke('x', 5n), TypeError);
  assert.throws(() => chat.publish('x', round), TypeError);
  await world.over(client);
});

test('a request that is not answered in time rejects, and its late answer hurts nobody', async () => {
  const world = new World();
  const [client, chat] = await world.opened({ timeout: 5000 }, 'chat');
  const usual = watch(chat.invoke('x')), soon = watch(chat.invoke('x', 1, { timeout: 100 }));
  const never = watch(chat.invoke('x', 1, { timeout: 0 }));
  const frames = world.socket.took();
  await world.clock.pass(99);
  assert.equal(soon.ended, undefined);
  await world.clock.pass(1);
  assert.deepEqual([soon.ended.error.code, soon.ended.error.message], ['timeout', 'No answer within 100 ms']);
  await world.clock.pass(4899);
  assert.equal(usual.ended, undefined);
  await world.clock.pass(1);
  assert.equal(usual.ended.error.code, 'timeout');
  await world.clock.pass(20_000);
  assert.equal(never.ended, undefined);
  world.socket.confirm(frames);
  world.socket.refuse(frames[1], 'late');
  await settled();
  assert.deepEqual(never.ended, { value: undefined });
  assert.deepEqual(world.told('error'), []);
  await world.over(client);
});

test('a timer that comes very late lets in first what came meanwhile', async () => {
  const world = new World();
  const [client, chat] = await world.opened({ heartbeat: false }, 'chat');
  const asked = watch(chat.invoke('x', 1, { timeout: 1000 }));
  const [frame] = world.socket.took();
  world.clock.freeze(3_600_000);
  const [[id, timer]] = world.clock.timers;
  world.clock.timers.delete(id);
  timer.run();
  await settled();
  assert.equal(asked.ended, undefined);
  world.socket.say('chat', 'x', 'came while frozen', frame.N);
  await settled();
  assert.deepEqual(asked.ended, { value: 'came while frozen' });
  // And if nothing came, it is over.
  const other = watch(chat.invoke('x', 1, { timeout: 1000 }));
  world.clock.freeze(3_600_000);
  await world.clock.pass(0);
  assert.equal(other.ended, undefined);
  await world.clock.pass(50);
  assert.equal(other.ended.error.code, 'timeout');
  await world.over(client);
});

test('a signal rejects with its reason: before, while waiting, on its way', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  await assert.rejects(chat.invoke('x', 1, { signal: AbortSignal.abort('before') }), (why) => why === 'before');
  assert.deepEqual(world.socket.took(), []);
  const stop = new AbortController();
  const asked = watch(chat.invoke('x', 1, { signal: stop.signal }));
  const [frame] = world.socket.took();
  stop.abort();
  await settled();
  assert.equal(asked.ended.error.name, 'AbortError');
  world.socket.confirm([frame]);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  await world.over(client);
});

test('what is said while away waits in order and is sent once', async () => {
  const world = new World();
  const client = world.client();
  const chat = client.controller('chat');
  const asked = chat.invoke('a', 1);
  chat.publish('b', 2);
  assert.equal(client.waiting, 2);
  client.open();
  await world.accept();
  assert.deepEqual(world.socket.confirm().map(({ T, D }) => [T, D]), [['1', null], ['a', 1], ['b', 2]]);
  await asked;
  assert.equal(client.waiting, 0);
  world.socket.end();
  const again = chat.invoke('c', 3);
  chat.publish('d', 4);
  await world.dialled();
  chat.publish('e', 5);
  await world.accept();
  assert.deepEqual(world.socket.confirm().map(({ T, D }) => [T, D]), [['1', null], ['c', 3], ['d', 4], ['e', 5]]);
  await again;
  await world.again();
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['1']);
  await world.over(client);
});

test('what waits and is aborted is never sent', async () => {
  const world = new World();
  const client = world.client();
  const chat = client.controller('chat');
  const stop = new AbortController();
  const asked = watch(chat.invoke('a', 1, { signal: stop.signal }));
  chat.publish('b', 2, { signal: stop.signal });
  chat.publish('c', 3);
  chat.publish('d', 4, { signal: AbortSignal.abort() });
  const timed = watch(chat.invoke('e', 5, { timeout: 10 }));
  assert.equal(client.waiting, 4);
  stop.abort('no');
  assert.equal(client.waiting, 2);
  client.open();
  await world.clock.pass(10);
  assert.equal(timed.ended.error.code, 'timeout');
  assert.equal(client.waiting, 1);
  await world.accept();
  assert.equal(asked.ended.error, 'no');
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['1', 'c']);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  await world.over(client);
});

test('the outbox is bounded in messages and in bytes, and says when it is full', async () => {
  const world = new World();
  const client = world.client({ outbox: { messages: 3, bytes: 500 } });
  const chat = client.controller('chat');
  for (let i = 0; i < 3; i++) chat.publish('a', i);
  assert.throws(() => chat.publish('a', 3), (error) => error instanceof XSocketsError && error.code === 'full');
  await assert.rejects(chat.invoke('a', 3), { code: 'full' });
  assert.equal(client.waiting, 3);
  client.open();
  await world.accept();
  assert.deepEqual(world.socket.confirm().map(({ D }) => D), [null, 0, 1, 2]);
  world.socket.end();
  // Bytes of UTF-8, not characters: 150 letters of three bytes each.
  chat.publish('a', '€'.repeat(150));
  assert.throws(() => chat.publish('a', 'x'.repeat(20)), { code: 'full' });
  await world.over(client);
  const other = new World();
  const small = other.client({ outbox: { bytes: 100 } });
  small.controller('chat').publish('a', 0, { bytes: new Uint8Array(60) });
  assert.throws(() => small.controller('chat').publish('a', 0, { bytes: new Uint8Array(60) }), { code: 'full' });
  await other.over(small);
});

test('aborted messages make room again', async () => {
  const world = new World();
  const client = world.client({ outbox: { messages: 1, bytes: 100 } });
  const chat = client.controller('chat');
  for (let i = 0; i < 10; i++) {
    const stop = new AbortController();
    const asked = watch(chat.invoke('a', 'x'.repeat(50), { signal: stop.signal }));
    stop.abort();
    await settled();
    assert.equal(asked.ended.error.name, 'AbortError');
  }
  chat.publish('a', 'x'.repeat(50));
  await world.over(client);
});

test('a socket that does not drain is full too', async () => {
  const world = new World();
  const [client, chat] = await world.opened({ outbox: { bytes: 1000 } }, 'chat');
  world.socket.bufferedAmount = 1000;
  chat.publish('a');
  world.socket.bufferedAmount = 1001;
  assert.throws(() => chat.publish('a'), { code: 'full' });
  await assert.rejects(chat.invoke('a'), { code: 'full' });
  world.socket.bufferedAmount = 0;
  chat.publish('a');
  await world.over(client);
});

test('a request on its way when the connection is lost rejects, one that was never written waits', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const sent = watch(chat.invoke('a', 1));
  world.socket.readyState = 2; // a close frame came, onclose has not
  const unsent = watch(chat.invoke('b', 2));
  chat.publish('c', 3);
  assert.equal(client.waiting, 2);
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['a']);
  world.socket.end();
  await settled();
  assert.deepEqual([sent.ended.error.code, sent.ended.error.message], ['lost', 'The connection was lost before the answer came']);
  assert.equal(unsent.ended, undefined);
  await world.dialled();
  await world.accept();
  assert.deepEqual(world.socket.confirm().map(({ T }) => T), ['1', 'b', 'c']);
  await settled();
  assert.deepEqual(unsent.ended, { value: undefined });
  await world.over(client);
});

test('a socket that throws when it is written to is lost, and the message waits', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  world.socket.send = () => { throw new Error('broken pipe'); };
  const asked = watch(chat.invoke('a', 1));
  assert.equal(client.state, 'waiting');
  assert.equal(client.waiting, 1);
  assert.equal(world.told('reconnecting')[0].error.message, 'broken pipe');
  await world.dialled();
  await world.accept();
  world.socket.confirm();
  await settled();
  assert.deepEqual(asked.ended, { value: undefined });
  // Where there is no coming back, it is told at once.
  const other = new World();
  const [last, room] = await other.opened({ reconnect: false }, 'chat');
  other.socket.send = () => { throw new Error('broken pipe'); };
  assert.throws(() => room.publish('a'), { code: 'closed' });
  await assert.rejects(room.invoke('a'), { code: 'closed' });
  await other.over(last);
  await world.over(client);
});

test('a socket that breaks while the outbox is sent keeps the rest of it', async () => {
  const world = new World();
  const client = world.client();
  const chat = client.controller('chat');
  for (let i = 0; i < 4; i++) chat.publish('a', i);
  const opening = watch(client.open());
  await settled();
  const { socket } = world;
  const send = socket.send.bind(socket);
  socket.send = (payload) => { if (JSON.parse(payload).D === '2') throw new Error('broken pipe'); send(payload); };
  await world.accept();
  assert.equal(client.state, 'waiting');
  assert.equal(client.waiting, 2);
  assert.equal(opening.ended, undefined);
  await world.dialled();
  await world.accept();
  assert.deepEqual(world.socket.took().map(({ D }) => D), [null, 2, 3]);
  assert.equal(opening.ended.value, client);
  await world.over(client);
});

test('a closed client takes nothing', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  await world.over(client);
  for (const refused of [chat.invoke('x'), chat.request('x'), chat.set('a', 1), chat.get('a'), chat.subscribe('x'), chat.open()])
    await assert.rejects(refused, { code: 'closed' });
  assert.throws(() => chat.publish('x'), { code: 'closed' });
  await assert.rejects(chat.messages('x').next(), { code: 'closed' });
  assert.equal(world.clock.timers.size, 0);
});

test('a request that waited for a connection that never comes is told why', async () => {
  const world = new World();
  const client = world.client({ reconnect: { attempts: 1 } });
  const asked = watch(client.controller('chat').invoke('x'));
  client.open();
  await settled();
  world.socket.end();
  await world.dialled();
  await settled();
  world.socket.end();
  await settled();
  assert.equal(asked.ended.error.code, 'failed');
  assert.equal(world.clock.timers.size, 0);
});

test('publish asks for no answer, and an error of the server is an event', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  assert.equal(chat.publish('News/Sport', { a: 1 }), undefined);
  assert.deepEqual(world.socket.took(), [{ C: 'chat', T: 'news/sport', D: { a: 1 } }]);
  world.socket.refuse({ C: 'chat' }, 'Not yours');
  assert.deepEqual(world.told('error').map(({ error, controller }) => [error.name, error.message, controller]), [['ServerError', 'Not yours', 'chat']]);
  await world.over(client);
});

test('names are folded in ASCII only', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'CHÄT');
  assert.equal(chat.name, 'chÄt');
  assert.equal(client.controller('chÄT'), chat);
  assert.notEqual(client.controller('chät'), chat);
  world.socket.took();
  const heard = [];
  chat.on('ÄB/Cİ', (data) => heard.push(data));
  world.socket.say('chÄt', 'Äb/cİ', 1);
  world.socket.say('CHÄT', 'Äb/Cİ', 2);
  world.socket.say('chät', 'Äb/cİ', 3);
  world.socket.say('chÄt', 'äb/cİ', 4);
  assert.deepEqual(heard, [1, 2]);
  await world.over(client);
});

test('a property is set and got, in lower case', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const set = chat.set('userName', 'anna'), got = chat.get('userName');
  const [first, second] = world.socket.took();
  assert.deepEqual([first.T, first.D, second.T, second.D], ['set_username', 'anna', 'get_username', null]);
  world.socket.confirm([first]);
  world.socket.say('chat', 'get_username', 'anna', second.N);
  assert.equal(await set, undefined);
  assert.equal(await got, 'anna');
  await world.over(client);
});

test('a kept property comes back with the value that was last said', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const restored = async () => {
    await world.again();
    const frames = world.socket.confirm();
    await settled();
    return frames.filter(({ T }) => T.startsWith('set_')).map(({ T, D }) => [T, D]);
  };
  const say = async (...args) => {
    const said = chat.set(...args);
    world.socket.confirm();
    await said;
  };
  await say('room', 'attic', { keep: true });
  await say('mood', 'grey');
  assert.deepEqual(await restored(), [['set_room', 'attic']]);
  await say('Room', 'cellar'); // stays kept
  assert.deepEqual(await restored(), [['set_room', 'cellar']]);
  const refused = watch(chat.set('room', 'nowhere'));
  world.socket.refuse(world.socket.took()[0], 'There is no such room');
  await settled();
  assert.equal(refused.ended.error.code, 'server');
  assert.deepEqual(await restored(), [['set_room', 'cellar']]);
  await say('room', 'hall', { keep: false });
  assert.deepEqual(await restored(), []);
  const first = watch(chat.set('room', 'nowhere', { keep: true }));
  world.socket.refuse(world.socket.took()[0], 'There is no such room');
  await settled();
  assert.ok(first.ended.error);
  assert.deepEqual(await restored(), []);
  await world.over(client);
});

test('a property that is set while away does not overtake what was said before it', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  chat.set('room', 'attic', { keep: true });
  world.socket.confirm();
  world.socket.end();
  chat.publish('say', 'in the attic');
  chat.set('room', 'cellar');
  chat.publish('say', 'in the cellar');
  const stop = new AbortController();
  chat.set('room', 'never', { signal: stop.signal }).catch(() => {});
  stop.abort();
  await world.dialled();
  await world.accept();
  assert.deepEqual(world.socket.confirm().map(({ T, D }) => [T, D]), [
    ['1', null], ['set_room', 'attic'], ['say', 'in the attic'], ['set_room', 'cellar'], ['say', 'in the cellar']]);
  await world.again();
  assert.deepEqual(world.socket.took().map(({ D }) => D), [null, 'cellar']);
  await world.over(client);
});

test('a kept property that the server refuses after a reconnect is an error event and forgotten', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  chat.set('room', 'attic', { keep: true });
  world.socket.confirm();
  await world.again();
  const [open, set] = world.socket.took();
  world.socket.confirm([open]);
  world.socket.refuse(set, 'There is no such room');
  await settled();
  assert.deepEqual(world.told('error').map(({ error, controller, topic }) => [error.message, controller, topic]), [['There is no such room', 'chat', 'set_room']]);
  await world.again();
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['1']);
  await world.over(client);
});

test('a controller is opened when it is asked for, and open() says when', async () => {
  const world = new World();
  const [client] = await world.opened();
  const chat = client.controller('chat');
  assert.equal(chat.state, 'opening');
  const open = watch(chat.open());
  await settled();
  assert.equal(open.ended, undefined);
  world.socket.confirm();
  await settled();
  assert.ok(open.ended && !open.ended.error);
  assert.equal(chat.state, 'open');
  await chat.open();
  const nobody = client.controller('nobody');
  const refused = watch(nobody.open());
  world.socket.refuse({ C: '', N: world.socket.took()[0].N }, 'Unknown controller');
  await settled();
  assert.equal(refused.ended.error.message, 'Unknown controller');
  assert.equal(nobody.state, 'closed');
  assert.deepEqual(world.told('error'), []);
  const again = watch(nobody.open());
  world.socket.confirm();
  await settled();
  assert.ok(again.ended && !again.ended.error);
  const late = watch(client.controller('late').open({ timeout: 10 }));
  await world.clock.pass(10);
  assert.equal(late.ended.error.code, 'timeout');
  await world.over(client);
});

test('leaving a controller ends what belongs to it and nothing else', async () => {
  const world = new World();
  const [client, chat, other] = await world.opened({}, 'chat', 'other');
  const told = [];
  chat.addEventListener('close', ({ detail }) => told.push(detail));
  chat.set('room', 'attic', { keep: true });
  chat.subscribe('news');
  world.socket.confirm();
  await settled();
  const stream = watch(chat.messages('x').next());
  const asked = watch(chat.invoke('x')), elsewhere = watch(other.invoke('x'));
  const frames = world.socket.took();
  chat.close();
  await settled();
  assert.equal(chat.state, 'closed');
  assert.deepEqual(told, [{ lost: false }]);
  assert.equal(asked.ended.error.code, 'closed');
  assert.equal(stream.ended.value.done, true);
  assert.equal(elsewhere.ended, undefined);
  assert.deepEqual(world.socket.confirm().map(({ C, T }) => [C, T]), [['chat', '3']]);
  world.socket.confirm(frames);
  await world.again();
  assert.deepEqual(world.socket.confirm().map(({ C, T }) => [C, T]), [['other', '1']]);
  // It opens again when it is used.
  chat.publish('say', 1);
  assert.deepEqual(world.socket.confirm().map(({ T }) => T), ['1', 'say']);
  assert.equal(chat.state, 'open');
  // The answer to a close comes after it was opened anew.
  chat.close();
  const [close] = world.socket.took();
  const open = watch(chat.open());
  world.socket.say('chat', '3', {}, close.N);
  world.socket.confirm();
  await settled();
  assert.ok(open.ended && !open.ended.error);
  assert.equal(chat.state, 'open');
  await world.over(client);
});

test('leaving a controller while away forgets what it still had to say', async () => {
  const world = new World();
  const [client, chat, other] = await world.opened({}, 'chat', 'other');
  world.socket.end();
  const asked = watch(chat.invoke('x'));
  const stop = new AbortController();
  chat.publish('y', 1, { signal: stop.signal });
  other.publish('z');
  chat.close();
  await settled();
  assert.equal(asked.ended.error.code, 'closed');
  assert.equal(client.waiting, 1);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  await world.over(client);
});

test('a controller that the server closes is closed, and opens again when it is used', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const told = [];
  chat.addEventListener('close', ({ detail }) => told.push(detail));
  chat.subscribe('news');
  world.socket.confirm();
  await settled();
  const asked = watch(chat.invoke('x'));
  world.socket.took();
  world.socket.say('chat', '3', { C: 'chat' });
  world.socket.say('chat', '3', { C: 'chat' });
  await settled();
  assert.equal(chat.state, 'closed');
  assert.deepEqual(told, [{ lost: false }]);
  assert.equal(asked.ended.error.message, 'The server closed the controller');
  chat.on('y', () => {});
  assert.deepEqual(world.socket.confirm().map(({ T }) => T), ['1', '5']);
  assert.equal(chat.state, 'open');
  await world.over(client);
});

test('an answer that comes too late, or twice, or to nobody, reaches no listener', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  chat.on('x', (data) => heard.push(data));
  const late = watch(chat.invoke('x', 1, { timeout: 10 })), once = watch(chat.invoke('x', 2));
  const [first, second] = world.socket.took();
  await world.clock.pass(10);
  world.socket.say('chat', 'x', 'late', first.N);
  world.socket.say('chat', 'x', 'answer', second.N);
  world.socket.say('chat', 'x', 'again', second.N);
  world.socket.say('chat', 'x', 'to nobody', 12345);
  world.socket.say('chat', 'x', 'said');
  await settled();
  assert.equal(late.ended.error.code, 'timeout');
  assert.deepEqual(once.ended, { value: 'answer' });
  assert.deepEqual(heard, ['said']);
  assert.deepEqual(world.told('message').map(({ data }) => data), ['said']);
  await world.over(client);
});

test('bytes that are none are refused and leave nothing behind', async () => {
  const world = new World();
  const [client, chat] = await world.opened({ heartbeat: false }, 'chat');
  const stop = new AbortController();
  const detached = new ArrayBuffer(8);
  structuredClone(detached, { transfer: [detached] });
  for (const bytes of [new Blob(['abc']), 'abc', 5, [1, 2], {}, detached]) {
    assert.throws(() => chat.publish('x', null, { bytes, signal: stop.signal }), TypeError);
    await assert.rejects(chat.invoke('x', null, { bytes, signal: stop.signal }), TypeError);
  }
  assert.deepEqual(world.socket.took(), []);
  assert.equal(world.clock.timers.size, 0);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  await world.over(client);
});
