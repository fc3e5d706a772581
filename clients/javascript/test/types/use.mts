// What the types allow and what they refuse. It is compiled, never run.
import { Client, ServerError, XSocketsError, connect } from 'xsockets';
import type { ClientState, Controller, Message, MessageStream, Store, Subscription } from 'xsockets';

interface Score { home: number; away: number }
interface Chat {
  calls: { say(text: string): void; who(): string[]; add(pair: { a: number; b: number }): Promise<number>; maybe(n?: number): number };
  topics: { say: string; 'score/home': Score; [news: `news/${string}`]: { title: string } };
  properties: { room: string; age: number };
}

const client: Client = await connect('ws://127.0.0.1:4502', { timeout: 5, signal: new AbortController().signal });
const chat: Controller<Chat> = client.controller<Chat>('chat');

const nothing: void = await chat.invoke('say', 'hello');
const names: string[] = await chat.invoke('who');
const sum: number = await chat.invoke('add', { a: 1, b: 2 }, { timeout: 5 });
const maybe: number = await chat.invoke('maybe');
await chat.invoke('maybe', 5);
await chat.invoke('who', null, { signal: AbortSignal.timeout(5) });
const whole: Message<string[]> | undefined = await chat.request('who');
// @ts-expect-error there is no such action
await chat.invoke('nope');
// @ts-expect-error say takes a string
await chat.invoke('say', 5);
// @ts-expect-error add takes something
await chat.invoke('add');
// @ts-expect-error who answers strings
const wrong: number = await chat.invoke('who');

chat.on('say', (text, message) => { const a: string = text; const b: Message<string> = message; void [a, b]; });
chat.on('news/sport', ({ title }) => title.length);
chat.on('news/#', (data, { topic }) => { void [data, topic.length]; });
// @ts-expect-error nobody publishes this
chat.on('nope', () => {});
// @ts-expect-error the score is no string
chat.on('score/home', (score: string) => score);
chat.off('say');
const subscription: Subscription = await chat.subscribe('score/home', ({ home }) => home.toFixed());
subscription.unsubscribe();
await chat.subscribe('news/+');
chat.unsubscribe('news/+');

chat.publish('say', 'hello');
chat.publish('news/sport', { title: 'x' }, { bytes: new Uint8Array(1) });
// @ts-expect-error news have a title
chat.publish('news/sport', 'x');

await chat.set('room', 'attic', { keep: true });
const age: number = await chat.get('age');
// @ts-expect-error age is a number
await chat.set('age', 'old');
// @ts-expect-error there is no such property
await chat.get('nope');

const stream: MessageStream<Score> = chat.messages('score/home', { buffer: 5, overflow: 'error' });
for await (const { data, topic } of stream) { const n: number = data.home; const t: string = topic; void [n, t, stream.dropped]; }
// @ts-expect-error no such policy
chat.messages('say', { overflow: 'block' });

// Without a contract everything goes.
const any = client.controller('any');
const whatever: { a: string } = await any.invoke('x', { b: 1 });
any.on('x', (data) => data.whatever);
any.publish('x');
for await (const { data } of any.messages('#')) data.whatever;
await any.set('x', 1);

// A contract with one part only.
const some = client.controller<{ calls: { time(): { utc: string } } }>('clock');
const utc: string = (await some.invoke('time')).utc;
some.on('time', (data) => data.anything);

client.addEventListener('statechange', ({ detail }) => { const state: ClientState = detail.state; void state; });
client.addEventListener('reconnecting', ({ detail: { attempt, delay, code, reason, error } }) => [attempt.toFixed(), delay.toFixed(), code.toFixed(), reason.length, error?.message]);
client.addEventListener('gap', { handleEvent: ({ detail }) => { void detail.away.toFixed(); } }, { once: true });
client.addEventListener('error', ({ detail }) => { if (detail.error instanceof ServerError) void detail.error.data; });
chat.addEventListener('close', ({ detail }) => detail.lost);
// @ts-expect-error no such event
client.addEventListener('opened', () => {});

const store: Store = { get: async () => null, set: (key, id) => { void [key, id]; } };
const other = new Client(new URL('ws://x'), {
  store, parameters: async () => ({ token: 'x' }), reconnect: { decide: ({ code }) => (code === 4000 ? false : undefined) },
  heartbeat: false, outbox: { messages: 5 },
});
await other.open();
await other.close();
try {
  await chat.invoke('who');
} catch (error) {
  if (error instanceof XSocketsError && error.code === 'timeout') void error.message;
  // @ts-expect-error no such code
  if (error instanceof XSocketsError && error.code === 'late') void error.message;
}

void [nothing, names, sum, maybe, whole, wrong, age, whatever, utc];
