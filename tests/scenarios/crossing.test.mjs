// From worker to worker: nothing is lost, doubled or out of order, also when the boxes between them are full.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { jsEnvelope, native, text, xsocketsnet } from './lib/clients.mjs';
import { encode } from './lib/frames.mjs';

// Each of `senders` says `count` numbers on generic, all at once; every receiver hears each sender's numbers in order.
async function everybodyTalks(s, { senders, receivers, count, size = 0 }) {
    const speakers = [], listeners = [];
    for (let i = 0; i < receivers; i++) listeners.push(await xsocketsnet(s, { open: 'generic', place: i % 4, name: `listener ${i}` }));
    for (let i = 0; i < senders; i++) {
        const one = await native(s, { place: i % 4, name: `speaker ${i}` });
        one.frames.push = () => 0; // it is in the room as well; what it hears is not of interest here
        speakers.push(one);
    }
    const filling = 'f'.repeat(size);
    const talk = speakers.map(async (one, i) => {
        for (let n = 0; n < count; n += 25)
            await one.send(Buffer.concat(Array.from({ length: 25 }, (_, k) => encode({ payload: `[${i},${n + k},"${filling}"]` }))));
    });
    await Promise.all(listeners.map(async (one) => {
        const next = new Array(senders).fill(0);
        for (let all = 0; all < senders * count; all++) {
            const { T, D } = JSON.parse(await one.nextText());
            const [who, n] = JSON.parse(D);
            assert.equal(T, 'say');
            assert.equal(n, next[who]++, `${one.name}, from ${who}`);
        }
        await one.barrier();
    }));
    await Promise.all(talk);
}

const roomy = { queue_bytes: '256MiB', queue_messages: 1000000, max_queued_bytes: '1GiB' };

story('what each of many says reaches everybody in order (workers 4)', { seconds: 90 }, async (s) => {
    await start(s, { server: { workers: 4, ...roomy } });
    await everybodyTalks(s, { senders: 8, receivers: 8, count: 500 });
    await s.daemon.stats();
});

story('with boxes of the smallest size nothing is lost, nobody waits for ever, and all letters are gone at the end (workers 4)', { seconds: 120 }, async (s) => {
    await start(s, { server: { workers: 4, ...roomy, mailbox_letters: 16, mailbox_bytes: '64KiB' } });
    await everybodyTalks(s, { senders: 8, receivers: 8, count: 300, size: 3000 });
    const { total } = await s.daemon.stats();
    assert.equal(total.letters_waiting, 0);
    assert.equal(total.stalled, 0);
    for (const member of s.members.filter((one) => one !== s.daemon)) await member.leave();
    await s.daemon.nobodyLeft();
});

story('a message larger than a box passes (workers 4)', async (s) => {
    await start(s, { server: { workers: 4, mailbox_letters: 16, mailbox_bytes: '64KiB' } });
    const one = await xsocketsnet(s, { open: 'generic', place: 0 });
    const two = await xsocketsnet(s, { open: 'generic', place: 3 });
    const word = 'w'.repeat(900000);
    for (let i = 0; i < 3; i++) {
        one.invoke('generic', 'say', word);
        await one.expect('generic', 'say', `\\"${word}\\"`);
        await two.expect('generic', 'say', `\\"${word}\\"`);
    }
});

story('what one turn publishes costs each other worker one wake-up, and one without a subscriber none (workers 4)', async (s) => {
    await start(s, { server: { workers: 4, ...roomy } });
    const speaker = await text(s, { place: 0 });
    const [everywhere, seldom, count] = ['news', 'rare', 12];
    const listeners = [];
    for (const place of [0, 1, 2, 3]) listeners.push(await xsocketsnet(s, { open: 'chat', place, name: `listener ${place}` }));
    for (const [place, one] of listeners.entries())
        for (const topic of place === 2 ? [everywhere, seldom] : [everywhere]) {
            one.subscribe('chat', topic, true);
            assert.match(await one.nextText(), /"T":"__/);
        }
    // The controller is open before it counts.
    speaker.line('chat|first|1');
    await speaker.takeUntil('chat|2|');
    for (const [topic, others, heard] of [[everywhere, 3, [0, 1, 2, 3]], [seldom, 1, [2]]]) {
        const before = (await s.daemon.stats()).total;
        // One write, which one read takes: all of them in one turn.
        speaker.send(Array.from({ length: count }, (_, i) => `chat|${topic}|${i}\r\n`).join(''));
        for (const place of heard)
            for (let i = 0; i < count; i++) await listeners[place].expect('chat', topic, String(i));
        const after = (await s.daemon.stats()).total;
        assert.equal(after.letters - before.letters, others * count, topic);
        assert.equal(after.wakes - before.wakes, others, topic);
    }
});

story('requests to a shared controller are answered in order from every worker (workers 4)', async (s) => {
    await start(s, { server: { workers: 4, mailbox_letters: 16 }, 'controller clock': { interval: '1h' } });
    const clients = await Promise.all([0, 1, 2, 3].map((place) => xsocketsnet(s, { place, open: 'clock' })));
    for (const client of clients) client.send(Buffer.concat(Array.from({ length: 200 }, (_, N) => encode({ payload: JSON.stringify({ C: 'clock', T: 'time', N }) }))));
    for (const client of clients) for (let N = 0; N < 200; N++) assert.equal(JSON.parse(await client.nextText()).N, N);
});

story('who opens, says something and closes in one breath is heard, and leaves nothing (workers 4)', async (s) => {
    await start(s, { server: { workers: 4 } });
    const listeners = await Promise.all([0, 1, 2, 3].map((place) => text(s, { place, open: 'generic' })));
    for (let i = 0; i < 20; i++) {
        const client = await xsocketsnet(s, { place: i % 4 });
        client.send(Buffer.concat([jsEnvelope('online', '1'), jsEnvelope('online', '3'), jsEnvelope('generic', '1'), jsEnvelope('generic', 'say', i), jsEnvelope('generic', '3'), jsEnvelope('online', '1')]
            .map((payload) => encode({ payload }))));
        for (const listener of listeners) await listener.expect(`generic|say|${i}`);
        await client.leave({ reset: i % 2 === 0 });
    }
    for (const listener of listeners) await listener.leave();
    await s.daemon.nobodyLeft();
});
