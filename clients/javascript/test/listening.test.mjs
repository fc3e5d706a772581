// Who hears what: handlers, subscriptions, filters, streams.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { World, settled, watch } from './lib/fake.mjs';

test('a handler gets data and message until it is taken off', async () => {
  const world = new World();
  const [client, chat, other] = await world.opened({}, 'chat', 'other');
  const heard = [];
  const handler = (data, message) => heard.push([data, message.controller, message.topic, message.data === data, message.bytes]);
  const off = chat.on('Say', handler);
  other.on('say', () => heard.push('other'));
  assert.deepEqual(world.socket.took(), []);
  world.socket.say('chat', 'say', { a: 1 });
  assert.deepEqual(heard.splice(0), [[{ a: 1 }, 'chat', 'say', true, undefined]]);
  off();
  off();
  world.socket.say('chat', 'say', 1);
  chat.on('say', handler);
  chat.on('say', handler);
  chat.on('say', () => heard.push('second'));
  world.socket.say('chat', 'say', 1);
  assert.equal(heard.splice(0).length, 3);
  chat.off('SAY', handler);
  world.socket.say('chat', 'say', 1);
  assert.deepEqual(heard.splice(0), ['second']);
  chat.off('say');
  world.socket.say('chat', 'say', 1);
  assert.deepEqual(heard, []);
  await world.over(client);
});

test('a handler that throws harms no other, and its error is not swallowed', async (t) => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  t.after(() => { delete globalThis.reportError; });
  const heard = [];
  chat.on('say', () => { throw new Error('mine'); });
  chat.on('say', (data) => heard.push(data));
  world.socket.say('chat', 'say', 1);
  world.socket.say('chat', 'say', 2);
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(reported, ['mine', 'mine']);
  assert.equal(client.state, 'open');
  await world.over(client);
});

test('handlers may come and go while others are told', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  const third = () => heard.push(3);
  chat.on('say', () => { heard.push(1); chat.off('say', third); chat.on('say', () => heard.push('new')); });
  chat.on('say', () => heard.push(2));
  chat.on('say', third);
  world.socket.say('chat', 'say', 1);
  assert.deepEqual(heard, [1, 2]);
  await world.over(client);
});

test('every message is an event of the client too, answers are not', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  world.socket.say('chat', 'say', 1);
  world.socket.say('unasked', 'x', 2);
  chat.invoke('x').catch(() => {});
  world.socket.confirm();
  assert.deepEqual(world.told('message').map(({ controller, topic, data }) => [controller, topic, data]), [['chat', 'say', 1], ['unasked', 'x', 2]]);
  await world.over(client);
});

test('subscribe resolves when the server has confirmed', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  const subscribing = watch(chat.subscribe('News/Sport', (data) => heard.push(data)));
  const [frame] = world.socket.took();
  assert.deepEqual([frame.C, frame.T, frame.D], ['chat', '5', { T: 'news/sport', A: true }]);
  await settled();
  assert.equal(subscribing.ended, undefined);
  world.socket.confirm([frame]);
  await settled();
  assert.equal(subscribing.ended.value.topic, 'news/sport');
  world.socket.say('chat', 'news/sport', 1);
  assert.deepEqual(heard, [1]);
  await world.over(client);
});

test('a confirmation without the number of the request is one too', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const subscribing = watch(chat.subscribe('news'));
  world.socket.say('chat', '__other', {});
  world.socket.say('else', '__news', {});
  await settled();
  assert.equal(subscribing.ended, undefined);
  world.socket.say('chat', '__News', {});
  await settled();
  assert.equal(subscribing.ended.value.topic, 'news');
  await world.over(client);
});

test('a subscription that is refused rejects with the sentence and is not tried again', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const both = [watch(chat.subscribe('a/#/b')), watch(chat.subscribe('a/#/b'))];
  world.socket.refuse(world.socket.took()[0], 'Nobody can subscribe to this topic');
  await settled();
  for (const { ended } of both) assert.deepEqual([ended.error.code, ended.error.message], ['server', 'Nobody can subscribe to this topic']);
  assert.deepEqual(world.told('error'), []);
  await world.again();
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['1']);
  await world.over(client);
});

test('subscribers of a topic share one subscription, the last one ends it', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  const one = (data) => heard.push(['one', data]), two = (data) => heard.push(['two', data]);
  const first = chat.subscribe('x', one), second = chat.subscribe('X', two);
  assert.equal(world.socket.confirm().length, 1);
  const third = await chat.subscribe('x', one);
  const [a, b] = await Promise.all([first, second]);
  world.socket.say('chat', 'x', 1);
  assert.deepEqual(heard.splice(0), [['one', 1], ['two', 1], ['one', 1]]);
  third.unsubscribe();
  third.unsubscribe();
  a.unsubscribe();
  world.socket.say('chat', 'x', 2);
  assert.deepEqual(heard.splice(0), [['two', 2]]);
  assert.deepEqual(world.socket.took(), []);
  b.unsubscribe();
  b.unsubscribe();
  assert.deepEqual(world.socket.took(), [{ C: 'chat', T: '6', D: { T: 'x', A: false } }]);
  world.socket.say('chat', 'x', 3);
  assert.deepEqual(heard, []);
  await world.over(client);
});

test('unsubscribe by topic and handler, or by topic alone', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const one = () => {}, two = () => {};
  for (const handler of [one, one, two, undefined]) chat.subscribe('x', handler);
  world.socket.confirm();
  await settled();
  chat.unsubscribe('x', one);
  chat.unsubscribe('other');
  assert.deepEqual(world.socket.took(), []);
  chat.unsubscribe('X');
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['6']);
  const waiting = watch(chat.subscribe('y'));
  chat.unsubscribe('y');
  await settled();
  assert.equal(waiting.ended.error.code, 'closed');
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['5', '6']);
  await world.over(client);
});

test('subscribed, unsubscribed and subscribed again at once: only the last confirmation counts', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  chat.subscribe('x').catch(() => {});
  chat.unsubscribe('x');
  const last = watch(chat.subscribe('x'));
  const frames = world.socket.took();
  assert.deepEqual(frames.map(({ T }) => T), ['5', '6', '5']);
  world.socket.confirm([frames[0]]);
  await settled();
  assert.equal(last.ended, undefined);
  world.socket.confirm([frames[2]]);
  await settled();
  assert.ok(last.ended.value);
  await world.over(client);
});

test('subscribe honours timeout and signal, and leaves nothing at the server', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  const stop = new AbortController();
  const late = watch(chat.subscribe('x', (data) => heard.push(data), { timeout: 50 }));
  const aborted = watch(chat.subscribe('y', (data) => heard.push(data), { signal: stop.signal }));
  await world.clock.pass(50);
  stop.abort('enough');
  await settled();
  assert.equal(late.ended.error.code, 'timeout');
  assert.equal(aborted.ended.error, 'enough');
  assert.deepEqual(world.socket.took().map(({ T, D }) => [T, D.T]), [['5', 'x'], ['5', 'y'], ['6', 'x'], ['6', 'y']]);
  world.socket.say('chat', 'x', 1);
  world.socket.say('chat', 'y', 1);
  assert.deepEqual(heard, []);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  await world.over(client);
});

test('subscriptions made while away are made when the connection is there, and survive a loss on the way', async () => {
  const world = new World();
  const client = world.client();
  const chat = client.controller('chat');
  const subscribing = watch(chat.subscribe('x'));
  chat.subscribe('gone').catch(() => {});
  chat.unsubscribe('gone');
  client.open();
  await world.accept();
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['1', '5']);
  await world.again();
  assert.equal(subscribing.ended, undefined);
  assert.deepEqual(world.socket.confirm().map(({ T }) => T), ['1', '5']);
  await settled();
  assert.ok(subscribing.ended.value);
  await world.over(client);
});

test('filters: + is one level, # the rest and the level above, T is the real topic', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const rows = [
    ['a', ['a'], ['b', 'a/b', '']],
    ['+', ['a', ''], ['a/b']],
    ['#', ['a', 'a/b/c', ''], []],
    ['a/+', ['a/b', 'a/'], ['a', 'a/b/c', 'b/b']],
    ['a/#', ['a', 'a/b', 'a/b/c', 'a/'], ['b', 'ab', 'b/a']],
    ['a/+/c', ['a/b/c', 'a//c'], ['a/c', 'a/b/d', 'a/b/c/d']],
    ['a/+/#', ['a/b', 'a/b/c', 'a/b/c/d'], ['a', 'b/b/c']],
    ['+/b', ['a/b', '/b'], ['b', 'a/b/c']],
    ['+/+', ['a/b', '/'], ['a', 'a/b/c']],
  ];
  for (const [filter, yes, no] of rows) {
    const heard = [];
    const off = chat.on(filter, (data, message) => heard.push(message.topic));
    for (const topic of [...yes, ...no]) world.socket.say('chat', topic, 0);
    assert.deepEqual(heard, yes, filter);
    off();
    world.socket.say('chat', yes[0], 0);
    assert.equal(heard.length, yes.length);
  }
  await world.over(client);
});

test('a message that several filters match reaches each handler once', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  chat.subscribe('news/#', () => heard.push('#'));
  chat.subscribe('news/+', () => heard.push('+'));
  chat.subscribe('news/sport', () => heard.push('sport'));
  assert.equal(world.socket.confirm().length, 3);
  await settled();
  world.socket.say('chat', 'news/sport', 0);
  assert.deepEqual(heard, ['sport', '#', '+']);
  await world.over(client);
});

test('a stream gives messages in order and ends its subscription when the loop is left', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const stream = chat.messages('news/#');
  assert.deepEqual(world.socket.confirm().map(({ T, D }) => [T, D.T]), [['5', 'news/#']]);
  for (let i = 0; i < 3; i++) world.socket.say('chat', `news/${i}`, i);
  assert.equal(stream.size, 3);
  const got = [];
  for await (const { topic, data } of stream) {
    got.push([topic, data]);
    if (data === 2) world.socket.say('chat', 'news/3', 3);
    if (data === 3) break;
  }
  assert.deepEqual(got, [['news/0', 0], ['news/1', 1], ['news/2', 2], ['news/3', 3]]);
  assert.deepEqual(world.socket.took().map(({ T }) => T), ['6']);
  world.socket.say('chat', 'news/4', 4);
  assert.equal(stream.size, 0);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
  await world.over(client);
});

test('a stream that is not read drops the oldest, the newest, or fails, and says how many', async () => {
  for (const [overflow, wanted, dropped, fails] of [
    ['drop-oldest', [2, 3, 4], 2, false], ['drop-newest', [0, 1, 2], 2, false], ['error', [0, 1, 2], 1, true],
  ]) {
    const world = new World();
    const [client, chat] = await world.opened({}, 'chat');
    const stream = chat.messages('x', { buffer: 3, overflow });
    world.socket.confirm();
    for (let i = 0; i < 5; i++) world.socket.say('chat', 'x', i);
    assert.equal(stream.dropped, dropped);
    assert.equal(stream.size, 3);
    const got = [];
    for (let i = 0; i < 3; i++) got.push((await stream.next()).value.data);
    assert.deepEqual(got, wanted);
    if (fails) {
      await assert.rejects(stream.next(), { code: 'overflow' });
      assert.deepEqual(world.socket.took().map(({ T }) => T), ['6']);
      assert.equal((await stream.next()).done, true);
    } else {
      world.socket.say('chat', 'x', 9);
      assert.equal((await stream.next()).value.data, 9);
    }
    await world.over(client);
  }
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const least = chat.messages('x', { buffer: 0 });
  world.socket.say('chat', 'x', 1);
  world.socket.say('chat', 'x', 2);
  assert.deepEqual([least.size, least.dropped, (await least.next()).value.data], [1, 1, 2]);
  await world.over(client);
});

test('a stream that reads ahead gets what comes, in order', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const stream = chat.messages('x');
  const ahead = [stream.next(), stream.next(), stream.next()];
  world.socket.confirm();
  world.socket.say('chat', 'x', 1);
  world.socket.say('chat', 'x', 2);
  assert.deepEqual((await Promise.all(ahead.slice(0, 2))).map(({ value }) => value.data), [1, 2]);
  stream.close();
  assert.deepEqual(await ahead[2], { done: true, value: undefined });
  await world.over(client);
});

test('a stream ends with its signal, with its subscription, with the client; a loss does not end it', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const stop = new AbortController();
  const signalled = watch(chat.messages('a', { signal: stop.signal }).next());
  const refused = watch(chat.messages('b').next());
  const lasting = chat.messages('c');
  const never = chat.messages('d', { signal: AbortSignal.abort() });
  assert.equal((await never.next()).done, true);
  const frames = world.socket.took().filter(({ T }) => T === '5');
  world.socket.refuse(frames[1], 'Not yours');
  stop.abort();
  await settled();
  assert.equal(signalled.ended.value.done, true);
  assert.equal(refused.ended.error.message, 'Not yours');
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  world.socket.confirm([frames[2]]);
  const reading = watch(lasting.next());
  await world.again();
  assert.deepEqual(world.socket.confirm().map(({ T, D }) => [T, D?.T]), [['1', undefined], ['5', 'c']]);
  world.socket.say('chat', 'c', 1);
  await settled();
  assert.equal(reading.ended.value.value.data, 1);
  world.socket.say('chat', 'c', 2);
  await world.over(client);
  // What came before the end can still be read.
  assert.deepEqual([(await lasting.next()).value.data, (await lasting.next()).done], [2, true]);
});

test('a stream tells why the client ended, if nobody asked for it', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const reading = watch(chat.messages('a').next());
  world.socket.confirm();
  world.socket.end(1008, 'banned');
  await settled();
  assert.equal(reading.ended.error.code, 'refused');
  assert.equal(client.state, 'closed');
});

test('a stream that only listens subscribes to nothing', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const stream = chat.messages('say', { subscribe: false });
  world.socket.say('chat', 'say', 1);
  assert.equal((await stream.next()).value.data, 1);
  stream.close();
  assert.deepEqual(world.socket.took(), []);
  await world.over(client);
});

test('binary messages go both ways, with data beside the bytes', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  chat.publish('file', { name: 'é€😀\u007f' }, { bytes });
  const [frame] = world.socket.took();
  const header = '{"C":"chat","T":"file","D":"{\\"name\\":\\"\\u00e9\\u20ac\\ud83d\\ude00\\u007f\\"}"}';
  assert.equal(Buffer.from(frame.subarray(0, 8)).readBigUInt64LE(), BigInt(header.length));
  assert.equal(Buffer.from(frame.subarray(8, 8 + header.length)).toString('latin1'), header);
  assert.deepEqual(frame.subarray(8 + header.length), bytes);
  // The bytes are those of the moment of the call, and only the part that was given.
  const part = new DataView(bytes.buffer, 10, 5);
  world.socket.readyState = 2;
  chat.publish('part', null, { bytes: part });
  bytes.fill(0);
  world.socket.end();
  await world.dialled();
  await world.accept();
  const kept = world.socket.took().find((one) => one instanceof Uint8Array);
  assert.deepEqual([...kept.subarray(-5)], [10, 11, 12, 13, 14]);
  const heard = [];
  chat.on('file', (data, message) => heard.push([data, message.bytes]));
  for (const form of [(b) => b, (b) => b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength), (b) => Buffer.concat([Buffer.from('xx'), b]).subarray(2)])
    world.socket.raw(form(Uint8Array.from(frame)));
  assert.equal(heard.length, 3);
  for (const [data, got] of heard) {
    assert.deepEqual(data, { name: 'é€😀\u007f' });
    assert.deepEqual(got, Uint8Array.from({ length: 256 }, (_, i) => i));
  }
  await world.over(client);
});

test('a request may carry bytes and get bytes', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const asked = chat.request('file', { n: 1 }, { bytes: new Uint8Array([1, 2]).buffer });
  const data = chat.invoke('file', { n: 2 }, { bytes: new Uint8Array(0) });
  const none = chat.request('file');
  const [first, second, third] = world.socket.took();
  world.socket.raw(first);
  world.socket.raw(second);
  world.socket.confirm([third]);
  const answer = await asked;
  assert.deepEqual([answer.controller, answer.topic, answer.data, [...answer.bytes]], ['chat', 'file', { n: 1 }, [1, 2]]);
  assert.deepEqual(await data, { n: 2 });
  assert.equal(await none, undefined);
  await world.over(client);
});

test('a signal that was aborted before subscribes to nothing, on a confirmed topic neither', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const heard = [];
  const signal = AbortSignal.abort('enough');
  const shared = watch(chat.subscribe('x'));
  world.socket.confirm();
  await settled();
  assert.ok(shared.ended.value);
  for (const topic of ['x', 'y']) {
    await assert.rejects(chat.subscribe(topic, (data) => heard.push(data), { signal }), (error) => error === 'enough');
    assert.deepEqual(await chat.messages(topic, { signal }).next(), { done: true, value: undefined });
    world.socket.say('chat', topic, 1);
  }
  assert.deepEqual(heard, []);
  assert.deepEqual(world.socket.took(), []);
  await world.over(client);
});
