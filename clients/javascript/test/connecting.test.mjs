// How a client comes about, ends, and comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, XSocketsError, connect } from 'xsockets';
import { GUID, Socket, World, settled, watch } from './lib/fake.mjs';

test('a client does nothing until open()', async () => {
  const world = new World();
  const client = world.client();
  await world.clock.pass(100_000);
  assert.equal(client.state, 'idle');
  assert.equal(world.sockets.length, 0);
  assert.equal(world.clock.timers.size, 0);
});

test('a client is open when the server has answered, not when there is a socket', async () => {
  const world = new World();
  const client = world.client();
  const opening = watch(client.open());
  assert.equal(client.state, 'connecting');
  await settled();
  assert.equal(world.socket.url, 'ws://server:4502/');
  assert.deepEqual(world.socket.protocols, ['XSocketsNET']);
  assert.equal(world.socket.binaryType, 'arraybuffer');
  world.socket.accept();
  assert.deepEqual(world.socket.took(), [{ C: '', T: '7', D: null }]);
  await settled();
  assert.equal(client.state, 'connecting');
  assert.equal(opening.ended, undefined);
  world.socket.say('', '8');
  await settled();
  assert.equal(client.state, 'open');
  assert.equal(opening.ended.value, client);
  assert.deepEqual(world.told('statechange', 'open'), [
    { type: 'statechange', state: 'connecting', previous: 'idle' },
    { type: 'statechange', state: 'open', previous: 'connecting' },
    { type: 'open', reconnected: false },
  ]);
  await world.over(client);
});

test('open() may be called at any time and means the same', async () => {
  const world = new World();
  const client = world.client();
  const first = client.open();
  assert.equal(client.open(), first);
  await world.accept();
  assert.equal(await client.open(), client);
  assert.equal(world.sockets.length, 1);
  await world.over(client);
  const again = client.open();
  await world.accept();
  assert.equal(await again, client);
  assert.equal(world.sockets.length, 2);
  await world.over(client);
});

test('http and https addresses of a page are taken, anything else throws at once', async () => {
  for (const [given, dialled] of [
    ['http://host:4502', 'ws://host:4502/'], ['https://host/x?a=1#part', 'wss://host/x?a=1'], ['wss://host', 'wss://host/'],
  ]) {
    const world = new World();
    const client = world.client({ url: given });
    client.open();
    await settled();
    assert.equal(world.socket.url, dialled);
    assert.equal(client.url, given);
    await world.over(client);
  }
  for (const url of ['', 'null', 'server', 'file:///x', 'mailto:x@y']) assert.throws(() => new Client(url), TypeError);
});

test('parameters go into the query, and a function is asked before every connection', async () => {
  const world = new World();
  let token = 0;
  const client = world.client({ url: 'ws://server/?a=b', parameters: async () => ({ 'tö k': ++token, no: undefined, yes: true }) });
  client.open();
  await world.accept();
  assert.equal(world.socket.url, 'ws://server/?a=b&t%C3%B6%20k=1&yes=true');
  await world.again();
  assert.equal(world.socket.url, 'ws://server/?a=b&t%C3%B6%20k=2&yes=true');
  await world.over(client);
});

test('parameters that cannot be had are a failed attempt', async () => {
  const world = new World();
  let fails = true;
  const client = world.client({ parameters: async () => { if (fails) throw new Error('no token'); return {}; } });
  client.open();
  await settled();
  assert.equal(client.state, 'waiting');
  assert.equal(world.told('reconnecting')[0].error.message, 'no token');
  fails = false;
  await world.dialled();
  await world.accept();
  assert.equal(client.state, 'open');
  await world.over(client);
});

test('a server that does not answer is given up after connectTimeout', async () => {
  for (const stage of ['nothing', 'handshake', 'garbage']) {
    const world = new World();
    const client = world.client({ connectTimeout: 700 });
    client.open();
    await settled();
    if (stage !== 'nothing') world.socket.accept();
    if (stage === 'garbage') for (const data of ['', '[]', '{}', '{"C":"","T":"4","D":"x"}']) world.socket.raw(data);
    await world.clock.pass(699);
    assert.equal(client.state, 'connecting');
    await world.clock.pass(1);
    assert.equal(client.state, 'waiting');
    assert.equal(world.sockets[0].closedWith, 1000);
    const [{ error, attempt, delay, code }] = world.told('reconnecting');
    assert.deepEqual([error.code, attempt, delay, code], ['timeout', 1, 500, 1006]);
    await world.over(client);
  }
});

test('what comes late from a connection that was given up changes nothing', async () => {
  const world = new World();
  const client = world.client({ connectTimeout: 100 });
  client.open();
  await settled();
  const [old] = world.sockets;
  const { onopen, onmessage, onclose, onerror } = old;
  await world.clock.pass(100);
  onopen({});
  onmessage({ data: '{"C":"","T":"8","D":"null","N":1}' });
  onerror({});
  onclose({ code: 1008, reason: 'refused' });
  await settled();
  assert.equal(client.state, 'waiting');
  assert.deepEqual(old.sent, []);
  await world.over(client);
});

test('without a WebSocket the client says so and does not try again', async () => {
  const here = globalThis.WebSocket;
  delete globalThis.WebSocket;
  try {
    const world = new World();
    const client = world.client({ WebSocket: undefined });
    await assert.rejects(client.open(), (error) => error instanceof XSocketsError && error.code === 'failed'
      && /no WebSocket here: give one with options.WebSocket/.test(error.message));
    assert.equal(client.state, 'closed');
    assert.equal(world.told('close')[0].why, 'failed');
    assert.equal(world.clock.timers.size, 0);
  } finally {
    if (here) globalThis.WebSocket = here;
  }
});

test('a WebSocket that throws when it is made is the end', async () => {
  const world = new World();
  const client = world.client({ WebSocket: class { constructor() { throw new SyntaxError('mixed content'); } } });
  await assert.rejects(client.open(), { code: 'failed', message: 'No connection: mixed content' });
  assert.equal(client.state, 'closed');
});

test('close() ends everything at once and waits for the socket', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  const asked = watch(chat.invoke('say', 1));
  const subscribing = watch(chat.subscribe('x'));
  const gone = watch(client.close());
  assert.equal(client.state, 'closed');
  assert.equal(world.socket.closedWith, 1000);
  await settled();
  assert.equal(asked.ended.error.code, 'closed');
  assert.equal(subscribing.ended.error.code, 'closed');
  assert.equal(gone.ended, undefined);
  world.socket.end(1000);
  await settled();
  assert.ok(gone.ended);
  assert.deepEqual(world.told('close', 'statechange').map(({ type, why }) => why ?? type), ['statechange', 'closed']);
  assert.equal(world.clock.timers.size, 0);
  await client.close();
});

test('close() does not wait for ever for a server that does not say goodbye', async () => {
  const world = new World();
  const [client] = await world.opened();
  let terminated = 0;
  world.socket.terminate = () => { terminated++; };
  const gone = watch(client.close());
  await world.clock.pass(1999);
  assert.equal(gone.ended, undefined);
  await world.clock.pass(1);
  assert.ok(gone.ended);
  assert.equal(terminated, 1);
  assert.equal(world.clock.timers.size, 0);
});

test('close() while connecting and while waiting rejects open()', async () => {
  for (const moment of ['asked', 'connecting', 'waiting']) {
    const world = new World();
    const client = world.client();
    const opening = watch(client.open());
    if (moment !== 'asked') await settled();
    if (moment === 'waiting') world.socket.end();
    await world.over(client);
    assert.equal(opening.ended.error.code, 'closed', moment);
    assert.equal(world.sockets.length, moment === 'asked' ? 0 : 1);
  }
});

test('a listener may close the client in the middle of anything', async () => {
  for (const type of ['statechange', 'open', 'reconnecting', 'error', 'message', 'gap']) {
    const world = new World();
    const client = world.client();
    client.controller('chat').on('say', () => {});
    let closed = false;
    client.addEventListener(type, ({ detail }) => {
      if (type === 'statechange' && detail.state === 'connecting') return;
      if (!closed) void client.close();
      closed = true;
    });
    client.open();
    await world.accept();
    if (!closed) {
      world.socket.confirm();
      world.socket.raw('garbage');
    }
    if (!closed) world.socket.say('chat', 'say', 1);
    if (!closed) {
      world.socket.end();
      if (!closed) await world.dialled();
      if (!closed) await world.accept();
      if (!closed) world.socket.confirm();
      await settled();
    }
    assert.ok(closed, type);
    await world.over(client);
    assert.equal(world.events.filter((event) => event.type === 'close').length, 1, type);
  }
});

test('connect() gives an open client', async () => {
  const world = new World();
  const made = world.client();
  const connecting = connect('ws://server', {
    WebSocket: class extends Socket { constructor(...a) { super(...a); world.sockets.push(this); } },
    store: false, platform: world.clock.platform,
  });
  await world.accept();
  const client = await connecting;
  assert.equal(client.state, 'open');
  assert.equal(client.constructor, made.constructor);
  // From now on it comes back by itself.
  world.socket.end();
  assert.equal(client.state, 'waiting');
  await world.over(client);
});

test('connect() rejects when the first attempt fails, and leaves nothing behind', async () => {
  for (const reconnect of [undefined, false, { attempts: 0 }]) {
    const world = new World();
    const connecting = watch(connect('ws://server', {
      WebSocket: class extends Socket { constructor(...a) { super(...a); world.sockets.push(this); } },
      store: false, platform: world.clock.platform, reconnect,
    }));
    await settled();
    world.socket.onerror({ error: new Error('connect ECONNREFUSED') });
    world.socket.end();
    await settled();
    assert.equal(connecting.ended.error.code, 'failed');
    assert.match(connecting.ended.error.message, /ECONNREFUSED/);
    assert.equal(connecting.ended.error.cause.message, 'connect ECONNREFUSED');
    await world.clock.pass(100_000);
    assert.equal(world.sockets.length, 1);
    assert.equal(world.clock.timers.size, 0);
  }
});

test('connect() honours its signal', async () => {
  const world = new World();
  const options = {
    WebSocket: class extends Socket { constructor(...a) { super(...a); world.sockets.push(this); } },
    store: false, platform: world.clock.platform,
  };
  await assert.rejects(connect('ws://server', { ...options, signal: AbortSignal.abort('before') }), (why) => why === 'before');
  assert.equal(world.sockets.length, 0);
  const stop = new AbortController();
  const connecting = watch(connect('ws://server', { ...options, signal: stop.signal }));
  await settled();
  stop.abort('meanwhile');
  await settled();
  assert.equal(connecting.ended.error, 'meanwhile');
  world.socket.end();
  assert.equal(world.clock.timers.size, 0);
});

test('the persistent id is kept under the URL as given and sent with every connection', async () => {
  const kept = new Map();
  const store = { get: async (key) => kept.get(key), set: async (key, id) => { kept.set(key, id); } };
  const world = new World();
  const [client, chat] = await world.opened({ store, url: 'ws://Server:4502/Path' }, 'chat');
  assert.equal(world.socket.url, 'ws://server:4502/Path');
  assert.equal(client.persistentId, GUID(1));
  assert.equal(chat.id, GUID(9));
  assert.deepEqual([...kept], [['ws://Server:4502/Path', GUID(1)]]);
  await world.again();
  assert.equal(world.socket.url, `ws://server:4502/Path?persistentid=${GUID(1)}`);
  await world.over(client);
  const other = new World();
  const [second] = await other.opened({ store, url: 'ws://Server:4502/Path' });
  assert.equal(other.socket.url, `ws://server:4502/Path?persistentid=${GUID(1)}`);
  assert.equal(second.persistentId, GUID(1));
  await other.over(second);
});

test('an id of the user goes before the stored one, what is no id is not sent', async () => {
  const store = { get: () => GUID(7), set() {} };
  for (const [options, wanted] of [
    [{ store }, `?persistentid=${GUID(7)}`],
    [{ store, parameters: { PersistentId: GUID(8) } }, `?PersistentId=${GUID(8)}`],
    [{ store, url: `ws://server/?persistentid=${GUID(6)}` }, `?persistentid=${GUID(6)}`],
    [{ store: { get: () => 'x&admin=1', set() {} } }, ''],
    [{ store: { get: () => 5, set() {} } }, ''],
    [{ store: false }, ''],
  ]) {
    const world = new World();
    const [client] = await world.opened(options);
    assert.equal(new URL(world.socket.url).search, wanted);
    await world.over(client);
  }
});

test('a store that fails is an error event and no more', async () => {
  for (const fail of [() => { throw new Error('full'); }, async () => { throw new Error('full'); }]) {
    const world = new World();
    const client = world.client({ store: { get: fail, set: fail } });
    client.open();
    await world.accept();
    client.controller('chat');
    world.socket.confirm();
    await settled();
    assert.deepEqual(world.told('error').map(({ error }) => error.message), ['full', 'full']);
    assert.equal(client.persistentId, GUID(1));
    await world.over(client);
  }
});

test('localStorage keeps the id where there is one, also one that throws', async (t) => {
  t.after(() => { delete globalThis.window; });
  const kept = new Map();
  globalThis.window = { localStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, id) => kept.set(key, id) } };
  const world = new World();
  const [client] = await world.opened({ store: undefined }, 'chat');
  assert.deepEqual([...kept], [['ws://server:4502', GUID(1)]]);
  await world.over(client);
  globalThis.window = { get localStorage() { throw new Error('SecurityError'); } };
  const other = new World();
  const [second] = await other.opened({ store: undefined }, 'chat');
  await other.again();
  assert.equal(other.socket.url, `ws://server:4502/?persistentid=${GUID(1)}`);
  await other.over(second);
});

test('connectTimeout: 0 waits as long as it takes', async () => {
  const world = new World();
  const client = world.client({ connectTimeout: 0 });
  const opening = watch(client.open());
  await world.clock.pass(3_600_000);
  assert.equal(client.state, 'connecting');
  await world.accept();
  assert.equal(opening.ended.value, client);
  await world.over(client);
});
