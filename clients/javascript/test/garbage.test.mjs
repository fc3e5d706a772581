// Nothing that a server sends may throw out of the client, end it, or spoil it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUID, World, settled, watch } from './lib/fake.mjs';

const deep = '['.repeat(200_000) + ']'.repeat(200_000);
const frame = (n, header, blob = '') => {
  const head = Buffer.from(header);
  const bytes = Buffer.alloc(8 + head.length + blob.length);
  bytes.writeBigUInt64LE(BigInt(n ?? head.length));
  head.copy(bytes, 8);
  bytes.write(blob, 8 + head.length, 'latin1');
  return bytes;
};

// Each gives an error event with the code `protocol`.
const rejected = {
  'an empty text': '',
  'no JSON': 'garbage',
  'half an envelope': '{"C":"chat","T":"say","D":"1"',
  'a NUL': '\0',
  'null': 'null',
  'a number': '5',
  'a string': '"chat"',
  'an array': '["chat","say","1"]',
  'true': 'true',
  'an empty object': '{}',
  'no topic': '{"C":"chat","D":"1"}',
  'no controller': '{"T":"say","D":"1"}',
  'a topic that is a number': '{"C":"chat","T":2,"D":"1"}',
  'a topic that is null': '{"C":"chat","T":null,"D":"1"}',
  'a controller that is an object': '{"C":{"toString":1},"T":"say","D":"1"}',
  'C and T in the prototype': '{"__proto__":{"C":"chat","T":"say","D":"1"}}',
  'keys in lower case': '{"c":"chat","t":"say","d":"1"}',
  'a very deep one': deep,
  'no data': '{"C":"chat","T":"say"}',
  'data that is null': '{"C":"chat","T":"say","D":null}',
  'data that is an object': '{"C":"chat","T":"say","D":{"a":1}}',
  'data that is a number': '{"C":"chat","T":"say","D":5}',
  'data that is no JSON': '{"C":"chat","T":"say","D":"hello"}',
  'data that is empty': '{"C":"chat","T":"say","D":""}',
  'data with something behind it': '{"C":"chat","T":"say","D":"1 2"}',
  'an opening without data': '{"C":"chat","T":"2"}',
  'no byte': Buffer.alloc(0),
  'seven bytes': Buffer.alloc(7),
  'a header of no byte': frame(0, ''),
  'a header longer than the message': frame(3, 'ab'),
  'a header of 2^32 bytes': frame(2n ** 32n, '{"C":"chat","T":"say","D":"1"}'),
  'a header of 2^32 bytes more than there are': frame(2n ** 32n + 30n, '{"C":"chat","T":"say","D":"1"}'),
  'a header of 2^64 - 1 bytes': frame(2n ** 64n - 1n, '{"C":"chat","T":"say","D":"1"}'),
  'a header that is no UTF-8': frame(undefined, Buffer.from('{"C":"ch\xe4t","T":"say","D":"1"}', 'latin1')),
  'a header that is no JSON': frame(undefined, 'garbage'),
  'a header that is too short for its JSON': frame(5, '{"C":"chat","T":"say","D":"1"}'),
  'binary with data that is no JSON': frame(undefined, '{"C":"chat","T":"say","D":"x"}'),
  'something that is neither text nor bytes': { not: 'a payload' },
  'something that only looks like bytes': { byteLength: 50 },
  'nothing': undefined,
  'null itself': null,
};

// Each is let pass without a word.
const ignored = {
  'an opening of a controller that is not ours': '{"C":"other","T":"2","D":"{}"}',
  'an opening with null': '{"C":"chat","T":"2","D":"null"}',
  'an opening with wrong types': '{"C":"chat","T":"2","D":"{\\"CI\\":5,\\"PI\\":[]}"}',
  'an opening with an id that is none': '{"C":"chat","T":"2","D":"{\\"CI\\":\\"x\\",\\"PI\\":\\"&admin=1\\"}"}',
  'a pong nobody asked for': '{"C":"","T":"8"}',
  'an acknowledgement nobody asked for': '{"C":"chat","T":"9","D":"null","N":12345}',
  'a number that is none': '{"C":"chat","T":"9","N":"1"}',
  'a number that is not whole': '{"C":"chat","T":"9","N":1.5}',
  'a number below zero': '{"C":"chat","T":"9","N":-1}',
  'a number beyond all': '{"C":"chat","T":"9","N":1e999}',
  'an error for a request that is long forgotten': '{"C":"chat","T":"4","D":"{}","N":54321}',
  'a word of the server from a later version': '{"C":"chat","T":"14","D":"null"}',
  'a stored value': '{"C":"chat","T":"s1","D":"{}"}',
  'a confirmation nobody asked for': '{"C":"chat","T":"__x","D":"{}"}',
  'a confirmation of everything': '{"C":"chat","T":"__","D":"{}"}',
  'an order to open': '{"C":"chat","T":"1","D":"null"}',
  'an order to subscribe': '{"C":"chat","T":"5","D":"{\\"T\\":\\"x\\"}"}',
};

async function survives(payloads, wanted) {
  const world = new World();
  const [client, chat] = await world.opened({ heartbeat: false }, 'chat');
  const heard = [];
  chat.on('say', (data) => heard.push(data));
  chat.on('#', () => {});
  for (const [name, payload] of Object.entries(payloads)) {
    const asked = watch(chat.invoke('x', 1));
    world.events.length = 0;
    world.socket.raw(payload);
    assert.equal(client.state, 'open', name);
    const told = world.told('error');
    assert.deepEqual(told.map(({ error }) => error.code), wanted, name);
    if (wanted[0]) assert.match(told[0].error.message, /^The server sent what is no message: ./, name);
    await settled();
    assert.equal(asked.ended, undefined, name);
    world.socket.confirm();
    await settled();
    assert.ok(asked.ended, name);
    world.socket.say('chat', 'say', name);
    assert.deepEqual(heard.splice(0), [name]);
  }
  assert.equal(client.persistentId, GUID(1));
  await world.over(client);
}

test('what is no message is an error event', () => survives(rejected, ['protocol']));

test('what has no meaning here is let pass', () => survives(ignored, []));

test('an answer that cannot be read rejects its request', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  for (const D of [undefined, null, 5, {}, '', 'bare', '{"a"']) {
    const asked = watch(chat.invoke('x'));
    const [{ N }] = world.socket.took();
    world.socket.raw(JSON.stringify({ C: 'chat', T: 'x', D, N }));
    await settled();
    assert.equal(asked.ended.error.code, 'protocol');
  }
  await world.over(client);
});

test('an error of any shape becomes a sentence', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, 'chat');
  for (const [D, sentence] of [
    [undefined, ''], [null, ''], ['"words"', '"words"'], ['bare', 'bare'], ['{"Message":5}', '{"Message":5}'], ['null', 'null'],
    ['{"Message":"yes"}', 'yes'], ['[]', '[]'], [{ Message: 'raw' }, ''],
  ]) {
    const asked = watch(chat.invoke('x'));
    const [{ N }] = world.socket.took();
    world.socket.raw(JSON.stringify({ C: 'chat', T: '4', D, N }));
    world.socket.raw(JSON.stringify({ C: '', T: '4', D }));
    await settled();
    assert.equal(asked.ended.error.name, 'ServerError');
    assert.equal(asked.ended.error.message, sentence);
    assert.equal(world.told('error')[0].error.message, sentence);
  }
  await world.over(client);
});

test('keys of the prototype are data like all others', async () => {
  const world = new World();
  const [client, chat] = await world.opened({}, '__proto__');
  const heard = [];
  for (const topic of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) chat.on(topic, (data) => heard.push(data));
  chat.subscribe('constructor').catch(() => {});
  world.socket.confirm();
  world.socket.raw('{"C":"__proto__","T":"constructor","D":"{\\"__proto__\\":{\\"polluted\\":1},\\"constructor\\":{\\"prototype\\":{\\"polluted\\":1}}}","__proto__":{"polluted":1}}');
  world.socket.raw('{"C":"__proto__","T":"tostring","D":"1"}');
  world.socket.raw('{"C":"__proto__","T":"4","D":"{\\"__proto__\\":{\\"Message\\":\\"x\\"}}"}');
  assert.equal(heard.length, 2);
  assert.equal({}.polluted, undefined);
  assert.equal(Object.getPrototypeOf(heard[0]), Object.prototype);
  assert.equal(chat.name, '__proto__');
  await world.over(client);
});

test('ten thousand frames of noise change nothing', async () => {
  let seed = 42;
  const dice = (n) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor(seed / 2 ** 32 * n);
  };
  const words = ['{', '}', '"C"', '"T"', '"D"', '"N"', ':', ',', '"chat"', '"2"', '"4"', '"3"', '"7"', '"8"', '"9"', '"__x"', '"say"', '""', '1', 'null', '[', ']',
    '"{\\"CI\\":\\"x\\"}"', '"1"', '\\', '\0', 'é', '\ud800', 'true', '-0', '1e9'];
  const world = new World();
  const [client, chat] = await world.opened({ heartbeat: false }, 'chat');
  chat.on('#', () => {});
  for (let i = 0; i < 10_000; i++) {
    let text;
    if (dice(2)) {
      const pick = () => words[dice(words.length)];
      text = `{"C":${pick()},"T":${pick()},"D":${pick()},"N":${dice(100)}}`;
    } else {
      text = Array.from({ length: dice(12) }, () => words[dice(words.length)]).join('');
    }
    const payload = dice(4) ? text : frame(dice(60), text, 'blob');
    world.socket.raw(payload);
    if (i % 100 === 0) void chat.invoke('x').catch(() => {});
  }
  assert.equal(client.state, 'open');
  world.socket.took();
  world.events.length = 0;
  const asked = chat.invoke('x');
  world.socket.confirm();
  await asked;
  await world.over(client);
});
