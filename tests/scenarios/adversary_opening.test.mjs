// Shared controllers that live on another worker: what a client sends before they have answered.
import assert from 'node:assert/strict';
import { folder, start } from './lib/daemon.mjs';
import { build } from './lib/module.mjs';
import { story } from './lib/story.mjs';
import { jsEnvelope, native, text, xsocketsnet } from './lib/clients.mjs';

const WORKERS = 4;

// A daemon with the controllers of menace.
async function menaced(s, sections = {}) {
    const module = build('menace', folder());
    return start(s, {
        server: { workers: WORKERS },
        'controller shy': { module },
        'controller crowd': { module },
        'controller brief': { module },
        ...sections,
    });
}

for (let place = 0; place < WORKERS; place++) {
    story(`a message to a shared controller that refuses is answered once, with its N (worker ${place})`, async (s) => {
        await menaced(s);
        const client = await xsocketsnet(s, { place });
        client.text('{"C":"shy","T":"say","D":"1","N":7}');
        await client.expectError('', { sentence: 'nobody may come in', N: 7 });
        client.text('{"C":"shy","T":"say","D":"2"}');
        await client.expectError('', { sentence: 'nobody may come in' });
        client.text('{"C":"shy","T":"1","N":8}');
        await client.expectError('', { sentence: 'nobody may come in', N: 8 });
        client.text('{"C":"","T":"7"}');
        await client.expect('', '8', 'null');
        const { total } = await s.daemon.stats();
        assert.equal(total.controllers_refused, 3);
    });

    story(`messages that open a shared controller are handled in the order in which they came (worker ${place})`, async (s) => {
        await menaced(s);
        const client = await xsocketsnet(s, { place });
        // All at once: while one opens the rest waits, and what waits opens the next one.
        client.text(jsEnvelope('online', '1'));
        for (let i = 0; i < 20; i++) client.text(jsEnvelope('crowd', 'say', i));
        client.text(jsEnvelope('echo', 'say', 'behind'));
        const said = [];
        for (;;) {
            const { C, T, D } = JSON.parse(await client.nextText());
            if (C === 'echo' && T === 'say') break;
            if (T === 'said') said.push(Number(D));
        }
        while (said.length < 20) {
            const { T, D } = JSON.parse(await client.nextText());
            if (T === 'said') said.push(Number(D));
        }
        assert.deepEqual(said, Array.from({ length: 20 }, (_, i) => i));
    });

    story(`a qos message that opens a shared controller is acknowledged once and not lost (worker ${place})`, async (s) => {
        await menaced(s);
        const client = await xsocketsnet(s, { place, query: { qos: 1 } });
        client.text('{"C":"crowd","T":"say","D":"5","Q":1,"I":3}');
        let acknowledged = 0, said = 0;
        while (said === 0) {
            const { T } = JSON.parse(await client.nextText());
            if (T === '9') acknowledged++;
            if (T === 'said') said++;
        }
        assert.equal(acknowledged, 1);
        assert.equal((await s.daemon.stats()).total.duplicates, 0);
    });

    story(`what a shared controller says in opened comes behind topic 2 (worker ${place})`, async (s) => {
        await menaced(s);
        const client = await xsocketsnet(s, { place, query: { persistentid: '7c9e6679-7425-40de-944b-e07fc1f90ae7' } });
        client.text(jsEnvelope('crowd', '1'));
        const { PI } = await client.opened('crowd');
        assert.equal(PI, '7c9e6679-7425-40de-944b-e07fc1f90ae7');
        await client.expect('crowd', 'welcome', '\\"in\\"');
        await client.expect('crowd', 'again', 'null');
    });

    story(`a native client whose shared controller refuses is told so and ended (worker ${place})`, async (s) => {
        await menaced(s, { 'subprotocol native': { controller: 'shy', topic: 'say', subscribe: 'news' } });
        const client = await native(s, { place }).catch((error) => error);
        const sockets = s.members.filter((member) => member.frames);
        const one = sockets[sockets.length - 1];
        await one.until('the end', () => one.gone || undefined);
        assert.ok(client !== undefined);
        await s.daemon.nobodyLeft();
    });
}

story('a client that leaves before a shared controller has answered leaves nothing', { seconds: 60 }, async (s) => {
    await menaced(s);
    for (let i = 0; i < 60; i++) {
        const client = await xsocketsnet(s, { place: i % WORKERS, query: { persistentid: '7c9e6679-7425-40de-944b-e07fc1f90ae7' } });
        for (const controller of ['crowd', 'shy', 'online', 'clock', 'brief']) client.text(jsEnvelope(controller, '1'));
        for (const topic of ['later', 'timer', 'kick', 'say']) client.text(jsEnvelope('crowd', topic, i));
        await client.leave({ reset: i % 3 > 0 });
    }
    await s.daemon.nobodyLeft();
    const last = await text(s, { open: 'echo' });
    last.line('crowd|count|');
    for (;;) {
        const line = await last.next();
        if (!line.startsWith('crowd|count|')) continue;
        assert.equal(line, 'crowd|count|1');
        break;
    }
});

story('a sentence too long for its place is cut between two characters', async (s) => {
    await menaced(s);
    const client = await xsocketsnet(s, { query: { end: 'no' } });
    client.text(jsEnvelope('brief', 'talk'));
    for (;;) {
        const { T, D } = JSON.parse(await client.nextText());
        if (T !== '4') continue;
        assert.equal(JSON.parse(D).Message, `x?${'\u20ac'.repeat(84)}`);
        break;
    }
});
