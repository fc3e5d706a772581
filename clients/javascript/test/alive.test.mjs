// Is the server still there? Heartbeat, and pages that come and go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, settled, watch } from './lib/fake.mjs';

const ping = { C: '', T: '7', D: null };

class Page {
  window = new EventTarget();
  document = new EventTarget();

  constructor() {
    this.document.visibilityState = 'visible';
    this.listeners = 0;
    for (const target of [this.window, this.document]) {
      const { addEventListener, removeEventListener } = target;
      target.addEventListener = (...args) => { this.listeners++; addEventListener.apply(target, args); };
      target.removeEventListener = (...args) => { this.listeners--; removeEventListener.apply(target, args); };
    }
  }

  get platform() {
    return { window: this.window, document: this.document };
  }

  happens(type, members = {}) {
    this.window.dispatchEvent(Object.assign(new Event(type), members));
  }

  shows(state) {
    this.document.visibilityState = state;
    this.document.dispatchEvent(new Event('visibilitychange'));
  }
}

test('a ping after a time of silence, and whatever comes is a sign of life', async () => {
  const world = new World();
  const [client] = await world.opened({ heartbeat: { interval: 1000, timeout: 300 } });
  await world.clock.pass(999);
  assert.deepEqual(world.socket.took(), []);
  await world.clock.pass(1);
  assert.deepEqual(world.socket.took(), [ping]);
  await world.clock.pass(200);
  world.socket.raw('garbage');
  await world.clock.pass(999);
  assert.deepEqual(world.socket.took(), []);
  await world.clock.pass(1);
  assert.deepEqual(world.socket.took(), [ping]);
  world.socket.say('', '8');
  assert.equal(client.state, 'open');
  // Who hears something all the time asks nothing.
  for (let i = 0; i < 10; i++) {
    await world.clock.pass(500);
    world.socket.say('chat', 'say', i);
  }
  assert.deepEqual(world.socket.took(), []);
  await world.over(client);
});

test('no sign of life is a loss', async () => {
  const world = new World();
  const [client, chat] = await world.opened({ heartbeat: { interval: 1000, timeout: 300 } }, 'chat');
  const asked = watch(chat.invoke('x'));
  world.socket.took();
  await world.clock.pass(1299);
  assert.equal(client.state, 'open');
  await world.clock.pass(1);
  assert.equal(client.state, 'waiting');
  assert.equal(asked.ended.error.code, 'lost');
  const [{ error, code }] = world.told('reconnecting');
  assert.deepEqual([error.code, error.message, code], ['timeout', 'No sign of life within 300 ms', 1006]);
  assert.equal(world.socket.closedWith, 1000);
  await world.over(client);
});

test('heartbeat: false asks nothing', async () => {
  const world = new World();
  const [client] = await world.opened({ heartbeat: false });
  assert.equal(world.clock.timers.size, 0);
  await world.clock.pass(1e7);
  assert.equal(client.state, 'open');
  assert.deepEqual(world.socket.took(), []);
  await world.over(client);
});

test('a ping of the server is answered with its data', async () => {
  const world = new World();
  const [client] = await world.opened();
  world.socket.raw('{"C":"","T":"7","D":"\\"abc\\""}');
  world.socket.raw('{"C":"","T":"7"}');
  world.socket.raw('{"C":"","T":"7","D":"bare"}');
  assert.deepEqual(world.socket.sent.splice(0), ['{"C":"","T":"8","D":"\\"abc\\""}', '{"C":"","T":"8","D":"null"}', '{"C":"","T":"8","D":"\\"bare\\""}']);
  // Not when it does not read what we say.
  world.socket.bufferedAmount = (1 << 20) + 1;
  world.socket.raw('{"C":"","T":"7"}');
  assert.deepEqual(world.socket.took(), []);
  await world.over(client);
});

test('a page that becomes visible or online, or comes back, tries at once', async () => {
  for (const comes of [(page) => page.shows('visible'), (page) => page.happens('online'), (page) => page.happens('pageshow', { persisted: true })]) {
    const page = new Page();
    const world = new World();
    world.dice = () => 0.999;
    const [client] = await world.opened({ platform: page.platform });
    world.socket.end();
    assert.equal(client.state, 'waiting');
    comes(page);
    assert.equal(client.state, 'connecting');
    comes(page);
    await world.accept();
    assert.equal(client.state, 'open');
    assert.equal(world.sockets.length, 2);
    await world.over(client);
    assert.equal(page.listeners, 0);
    comes(page);
    assert.equal(client.state, 'closed');
  }
});

test('a page that becomes visible, online or offline while open sees whether the server is there', async () => {
  for (const comes of [(page) => page.shows('visible'), (page) => page.happens('online'), (page) => page.happens('offline'), (page) => page.happens('pageshow', {})]) {
    const page = new Page();
    const world = new World();
    const [client] = await world.opened({ platform: page.platform, heartbeat: { timeout: 500 } });
    comes(page);
    await world.clock.pass(300);
    comes(page); // asks once, and the answer is due when it was
    assert.deepEqual(world.socket.took(), [ping]);
    world.socket.say('', '8');
    comes(page);
    assert.deepEqual(world.socket.took(), [ping]);
    await world.clock.pass(499);
    assert.equal(client.state, 'open');
    await world.clock.pass(1);
    assert.equal(client.state, 'waiting');
    await world.over(client);
  }
});

test('hiding changes nothing, going offline while away neither', async () => {
  const page = new Page();
  const world = new World();
  const [client] = await world.opened({ platform: page.platform });
  page.shows('hidden');
  assert.deepEqual(world.socket.took(), []);
  world.socket.end();
  page.happens('offline');
  page.shows('hidden');
  assert.equal(client.state, 'waiting');
  await world.over(client);
});

test('a page that is put aside lets its connection go, and takes it up when it is shown again', async () => {
  const page = new Page();
  const world = new World();
  const [client, chat] = await world.opened({ platform: page.platform }, 'chat');
  const asked = watch(chat.invoke('x'));
  page.happens('pagehide', { persisted: false });
  assert.equal(client.state, 'open');
  page.happens('pagehide', { persisted: true });
  assert.equal(client.state, 'waiting');
  assert.equal(world.socket.closedWith, 1000);
  world.socket.end(1000);
  await settled();
  assert.equal(asked.ended.error.code, 'lost');
  // No timer: the page is asleep.
  assert.equal(world.clock.timers.size, 0);
  await world.clock.pass(1e7);
  assert.equal(client.state, 'waiting');
  page.happens('pageshow', { persisted: true });
  await world.accept();
  assert.equal(client.state, 'open');
  assert.deepEqual(world.told('gap', 'open').map(({ type }) => type), ['open']);
  world.socket.confirm();
  await settled();
  assert.equal(world.told('gap')[0].away, 1e7);
  await world.over(client);
  page.happens('pagehide', { persisted: true });
  assert.equal(client.state, 'closed');
});

test('a page that is put aside while connecting or waiting comes back too', async () => {
  for (const moment of ['connecting', 'waiting']) {
    const page = new Page();
    const world = new World();
    const client = world.client({ platform: page.platform });
    client.open();
    await settled();
    if (moment === 'waiting') world.socket.end();
    page.happens('pagehide', { persisted: true });
    assert.equal(client.state, 'waiting');
    world.socket.end();
    assert.equal(world.clock.timers.size, 0);
    page.happens('pageshow', { persisted: true });
    await world.accept();
    assert.equal(client.state, 'open');
    await world.over(client);
  }
});

test('after a sleep of hours the client asks before it believes that the server is gone', async () => {
  const world = new World();
  const [client] = await world.opened({ heartbeat: { interval: 30_000, timeout: 10_000 } });
  world.clock.freeze(5 * 3_600_000);
  await world.clock.pass(100);
  assert.deepEqual(world.socket.took(), [ping]);
  assert.equal(client.state, 'open');
  world.socket.say('', '8');
  await world.clock.pass(29_000);
  assert.equal(client.state, 'open');
  // Frozen between ping and pong: the pong waits in the queue and is heard first.
  await world.clock.pass(1000);
  assert.deepEqual(world.socket.took(), [ping]);
  world.clock.freeze(3_600_000);
  await world.clock.pass(0);
  assert.equal(client.state, 'open');
  world.socket.say('', '8');
  await world.clock.pass(1000);
  assert.equal(client.state, 'open');
  await world.over(client);
});

test('retry() does it by hand', async () => {
  const world = new World();
  world.dice = () => 0.999;
  const client = world.client();
  client.retry();
  assert.equal(client.state, 'idle');
  client.open();
  await settled();
  world.socket.end();
  client.retry();
  client.retry();
  await world.accept();
  assert.equal(world.sockets.length, 2);
  client.retry();
  assert.deepEqual(world.socket.took(), [ping]);
  await world.over(client);
  client.retry();
  assert.equal(client.state, 'closed');
});
