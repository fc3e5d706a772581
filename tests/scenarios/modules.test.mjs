// What a controller can do: everything of controller.h, through a module that is built for the test.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { build } from './lib/module.mjs';
import { text, xsocketsnet } from './lib/clients.mjs';
import { encode } from './lib/frames.mjs';

const probe = (more = {}) => ({ dir }) => ({ server: { workers: 4 }, 'controller probe': { module: build('probe', dir) }, ...more });
const PI = '11111111-2222-3333-4444-555555555555';

async function who(client, controller = 'probe') {
    client.text(JSON.stringify({ C: controller, T: 'who' }));
    return JSON.parse(JSON.parse(await client.nextText()).D);
}

story('a controller reads who its client is', async (s) => {
    await start(s, probe());
    const client = await xsocketsnet(s, {
        open: 'probe', query: { X: 'a b', y: 'é&=', place: 2 },
        headers: { Origin: 'http://here', 'User-Agent': 'test/1', Cookie: 'other=1; session=abc=; third' },
    });
    assert.deepEqual(await who(client), {
        reopened: 'no', was_away: 'no', away_for: '0', protocol: 'xsocketsnet', endpoint: 'main', controller: 'probe',
        uri: '/', x: 'a b', y: 'é&=', origin: '', agent: 'test/1', session: 'abc=', other: '', mode: 'plain',
    });
    const line = await text(s, { query: { x: 'plus+and%20', y: '2' } });
    line.line('probe|who|');
    await line.opened('probe');
    const told = JSON.parse((await line.next()).slice('probe|who|'.length));
    assert.equal(told.protocol, 'text');
    assert.equal(told.y, '2');
});

story('a controller is served under several names, each with settings of its own', async (s) => {
    await start(s, ({ dir }) => {
        const module = build('probe', dir);
        return { 'controller probe': { module }, 'controller second': { module, use: 'probe', mode: 'other' } };
    });
    const client = await xsocketsnet(s, { open: ['probe', 'second'] });
    assert.equal((await who(client)).mode, 'plain');
    const told = await who(client, 'second');
    assert.equal(told.mode, 'other');
    assert.equal(told.controller, 'second');
});

story('properties of every type are set, read back and checked', async (s) => {
    await start(s, probe());
    const client = await xsocketsnet(s, { open: 'probe' });
    const set = (name, D) => client.text(JSON.stringify({ C: 'probe', T: `set_${name}`, D }));
    const get = async (name, inside) => {
        client.text(JSON.stringify({ C: 'probe', T: `get_${name}`, D: '' }));
        await client.expect('probe', `get_${name}`, inside);
    };
    await get('number', '0');
    await get('flag', 'false');
    for (const [name, D, inside] of [['number', '7', '7'], ['number', 7, '7'], ['number', '-10', '-10'], ['number', { value: 10 }, '10'], ['flag', true, 'true'], ['flag', '{"value":false}', 'false'],
        ['colour', 'red', '\\"red\\"'], ['colour', '"fifteen letters"', '\\"fifteen letters\\"']]) {
        set(name, D);
        await get(name, inside);
    }
    for (const [name, D] of [['number', 11], ['number', -11], ['number', '1.5'], ['number', 'x'], ['number', null], ['number', 1e30], ['number', true],
        ['flag', 1], ['flag', 'yes'], ['colour', 'sixteen letters.'], ['colour', [1]], ['colour', { a: 1 }], ['ratio', 'x']]) {
        set(name, D);
        assert.match(await client.expectError('probe'), new RegExp(name), `${name} ${JSON.stringify(D)}`);
    }
    // Not for clients: neither set nor got.
    set('ticks', 1);
    await client.expectError('probe');
    client.text('{"C":"probe","T":"get_ticks"}');
    await client.expectError('probe');
    client.text('{"C":"probe","T":"get_ratio"}');
    await client.expectError('probe');
    await get('number', '10');
    await get('colour', '\\"fifteen letters\\"');
});

for (const places of [[0, 0, 0, 0], [0, 1, 2, 3]]) {
    story(`messages reach exactly those who match (workers ${places})`, async (s) => {
        await start(s, probe());
        const clients = [];
        for (const [i, place] of places.entries()) {
            const client = await xsocketsnet(s, { place, open: 'probe', name: `client ${i}` });
            for (const [name, value] of [['colour', i % 2 ? 'red' : 'blue'], ['number', 2 * i + 1], ['flag', i > 1], ['ratio', i / 4]])
                client.text(JSON.stringify({ C: 'probe', T: `set_${name}`, D: value }));
            await client.barrier();
            clients.push(client);
        }
        // number: 1 3 5 7; colour: blue red blue red; flag: f f t t; ratio: 0 .25 .5 .75
        const expected = {
            others: [1, 2, 3], red: [1, 3], both: [3], flagged: [2, 3], half: [0, 1, 2], nobody: [], odd: [1, 2, 3], except: [1, 2, 3],
        };
        for (const [action, receivers] of Object.entries(expected)) {
            clients[0].text(JSON.stringify({ C: 'probe', T: action }));
            for (const i of receivers) await clients[i].expect('probe', 'told', '\\"you\\"');
        }
        // The word to all comes last: nobody got one too many.
        clients[0].text('{"C":"probe","T":"all"}');
        for (const client of clients) await client.expect('probe', 'all', 'null');
    });
}

story('a controller speaks through another, and publishes to the caller only if he has subscribed', async (s) => {
    await start(s, probe());
    const client = await xsocketsnet(s, { open: ['probe', 'generic'], place: 0 });
    const other = await text(s, { open: 'generic', place: 3 });
    client.text('{"C":"probe","T":"through","D":"hi"}');
    await client.expect('generic', 'through', '\\"hi\\"');
    await other.expect('generic|through|"hi"');
    client.text('{"C":"probe","T":"publish","D":1}');
    client.subscribe('probe', 'news', true);
    await client.expect('probe', '__news', '{\\"T\\":\\"news\\",\\"C\\":\\"probe\\",\\"A\\":true}');
    client.text('{"C":"probe","T":"publish","D":2}');
    await client.expect('probe', 'news', '2');
});

story('an answer may come later from another thread and still carries N', async (s) => {
    await start(s, probe());
    for (let place = 0; place < 4; place++) {
        const client = await xsocketsnet(s, { open: 'probe', place });
        for (let N = 1; N <= 20; N++) client.text(JSON.stringify({ C: 'probe', T: 'later', N }));
        const answers = new Set(), also = [];
        for (let i = 0; i < 40; i++) {
            const message = JSON.parse(await client.nextText());
            if (message.T === 'later') {
                assert.equal(message.D, '"from afar"');
                answers.add(message.N);
            } else {
                assert.deepEqual(message, { C: 'probe', T: 'also', D: '[1]' });
                also.push(message);
            }
        }
        assert.equal(answers.size, 20);
        assert.equal(also.length, 20);
        await client.barrier();
    }
});

story('answers for a client that has gone are counted and harm nobody', async (s) => {
    await start(s, probe());
    for (let i = 0; i < 20; i++) {
        const client = await xsocketsnet(s, { open: 'probe', place: i % 4 });
        await client.send(Buffer.concat(Array.from({ length: 5 }, () => encode({ payload: '{"C":"probe","T":"later"}' }))));
        await client.leave({ reset: true });
    }
    await s.daemon.nobodyLeft();
});

story('timers of an instance call until they are stopped, and end with it', async (s) => {
    await start(s, probe());
    const client = await xsocketsnet(s, { open: 'probe' });
    const before = (await s.daemon.stats()).total.timers;
    client.text('{"C":"probe","T":"ticks"}');
    for (const tick of [1, 2, 3]) await client.expect('probe', 'tick', String(tick));
    assert.equal((await s.daemon.stats()).total.timers, before);
    client.text('{"C":"probe","T":"ticks"}');
    await client.expect('probe', 'tick', '1');
    client.text('{"C":"probe","T":"3"}');
    while (JSON.parse(await client.nextText()).T !== '3');
    assert.equal((await s.daemon.stats()).total.timers, before);
    await client.barrier();
});

story('a fault is told with the sentence of the controller, and N', async (s) => {
    await start(s, probe());
    const client = await xsocketsnet(s, { open: 'probe' });
    client.text('{"C":"probe","T":"fail","N":3}');
    assert.equal(await client.expectError('probe', { N: 3 }), 'this "always" fails');
    client.text('{"C":"probe","T":"unheard","N":4}');
    const word = JSON.parse(await client.nextText());
    assert.equal(word.N, 4);
    client.text('{"C":"probe","T":"zwei","N":5}');
    await client.expectText('{"C":"probe","T":"twice","D":"1","N":5}');
    await client.expect('probe', 'twice', '2');
});

story('a controller may refuse to be opened and may end a connection', async (s) => {
    await start(s, probe());
    const refused = await xsocketsnet(s, { query: { refuse: 1 } });
    refused.text('{"C":"probe","T":"1"}');
    assert.equal(await refused.expectError(''), 'not today');
    refused.text('{"C":"probe","T":"who"}');
    assert.equal(await refused.expectError(''), 'not today');
    await refused.open('generic');
    const leaving = await xsocketsnet(s, { open: 'probe' });
    leaving.text('{"C":"probe","T":"leave"}');
    assert.match(await leaving.expectClose(1008), /you asked for it/);
    const line = await text(s, { open: 'probe' });
    line.line('probe|leave|');
    await line.until('the end', () => line.gone || undefined);
});

story('closed is called once, whatever ended the client, and may tell the others', async (s) => {
    await start(s, probe());
    const watcher = await xsocketsnet(s, { open: 'probe', place: 0 });
    const endings = [
        (client) => client.text('{"C":"probe","T":"3"}'),
        (client) => client.close(),
        (client) => client.leave(),
        (client) => client.leave({ reset: true }),
        (client) => client.text('{"C":"probe","T":"leave"}'),
        (client) => client.text('no envelope'),
        (client) => client.frame({ payload: 'x', rsv: 7 }),
    ];
    for (const [i, end] of endings.entries()) {
        const client = await xsocketsnet(s, { open: 'probe', place: i % 4 });
        await end(client);
        await watcher.expect('probe', 'left', 'null');
    }
    await watcher.barrier();
});

story('who comes back with his persistent id is told how long he was away', async (s) => {
    await start(s, probe());
    const first = await xsocketsnet(s, { query: { PersistentId: PI.toUpperCase(), place: 0 } });
    assert.equal((await first.open('probe')).PI, PI);
    const told = await who(first);
    assert.deepEqual([told.reopened, told.was_away, told.away_for], ['yes', 'no', '0']);
    // Another connection of the same id while the first lives: nobody was away.
    const tab = await text(s, { query: { persistentid: PI, place: 1 } });
    assert.equal((await tab.open('probe')).PI, PI);
    tab.line('probe|who|');
    assert.equal(JSON.parse((await tab.next()).slice('probe|who|'.length)).was_away, 'no');
    await tab.leave();
    await first.leave({ reset: true });
    await s.daemon.nobodyLeft();
    const back = await xsocketsnet(s, { query: { persistentId: PI, place: 2 } });
    assert.equal((await back.open('probe')).PI, PI);
    const again = await who(back);
    assert.deepEqual([again.reopened, again.was_away], ['yes', 'yes']);
    assert.ok(Number(again.away_for) >= 0 && Number(again.away_for) < 30000, again.away_for);
    // A controller that is opened later on the same connection hears the same.
    back.text('{"C":"probe","T":"3"}');
    assert.match(await back.nextText(), /"T":"3"/);
});

story('what is no guid is no persistent id: a new one is made, and it is remembered when it is brought back', async (s) => {
    await start(s, probe());
    for (const bad of ['', 'x', PI.slice(1), `${PI}0`, PI.replace('1', 'g'), PI.replace('-', '_'), `${PI}\u0000`]) {
        const client = await xsocketsnet(s, { query: { persistentid: bad } });
        const ids = await client.open('probe');
        assert.notEqual(ids.PI, PI, bad);
        assert.equal((await who(client)).reopened, 'no', bad);
        await client.leave();
        await s.daemon.nobodyLeft(); // else the next one may hear that this one has left
    }
    const fresh = await xsocketsnet(s, { open: 'probe' });
    assert.match(fresh.ids.probe.PI, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$|^[0-9a-f-]{36}$/);
    await fresh.leave();
    await s.daemon.nobodyLeft();
    const back = await xsocketsnet(s, { query: { persistentid: fresh.ids.probe.PI, place: 3 } });
    assert.equal((await back.open('probe')).PI, fresh.ids.probe.PI);
    assert.equal((await who(back)).was_away, 'yes');
});

story('a persistent id does not stand in the log', async (s) => {
    await start(s, probe());
    const client = await xsocketsnet(s, { query: { persistentid: PI }, open: ['probe', 'chat'] });
    client.invoke('chat', 'foo', 'a secret word');
    client.text('{"C":"chat","T":"foo","D":"a secret word');
    await client.expectError('');
    await client.expectClose(1003);
    await s.daemon.nobodyLeft();
    assert.ok(!s.daemon.log.includes(PI) && !s.daemon.log.includes('a secret word'));
});
