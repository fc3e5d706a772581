// The compiled JavaScript client in a real browser.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { start } from '../scenarios/lib/daemon.mjs';
import { GUID, text } from '../scenarios/lib/clients.mjs';
import { story } from '../scenarios/lib/story.mjs';
import { browser, profile } from './lib/browser.mjs';
import { page, site } from './lib/site.mjs';

const at = (daemon) => `?at=ws://127.0.0.1:${daemon.port}`;
const away = [/^WebSocket connection to '.*' failed/]; // what Chromium says while there is no daemon

// The same configuration on the same port.
async function again(s, daemon) {
    const ini = fs.readFileSync(daemon.file, 'utf8');
    return Object.assign(await start(s, {}, { ini: () => ini }), { port: daemon.port });
}

const chatting = `
const chat = client.controller('chat');
chat.on('say', (text) => console.log('heard ' + text));
`;

story('the compiled script works from a file: page', { seconds: 60 }, async (s) => {
    const daemon = await start(s);
    const pages = site(s, { 'chat.html': page(chatting) });
    const chromium = await browser(s);
    const tab = await chromium.tab(pages.file('chat.html', at(daemon)));
    await tab.expect('connecting');
    await tab.expect('open');
    await tab.run(() => chat.open());

    const terminal = await text(s, { open: 'chat' });
    terminal.line('chat|say|hello from nc');
    await terminal.expect('chat|say|"hello from nc"');
    await tab.expect('heard hello from nc');
    await tab.run(() => chat.publish('say', 'hello from a file \u{1f600}'));
    await tab.expect('heard hello from a file \u{1f600}');
    await terminal.expect('chat|say|"hello from a file \u{1f600}"');

    // Ten questions at once, a property, and bytes there and back.
    const answers = await tab.run(() => {
        const echo = client.controller('echo');
        return Promise.all(Array.from({ length: 10 }, (_, n) => echo.invoke('count', { n })));
    });
    assert.deepEqual(answers, Array.from({ length: 10 }, (_, n) => ({ n })));
    assert.equal(await tab.run(async () => {
        await chat.set('room', 'attic');
        return chat.get('room');
    }), 'attic');
    assert.deepEqual(await tab.run(async () => {
        const all = Uint8Array.from({ length: 256 }, (_, n) => n);
        const { data, bytes } = await client.controller('echo').request('blob', { of: 256 }, { bytes: all });
        return { data, bytes: [...bytes] };
    }), { data: { of: 256 }, bytes: Array.from({ length: 256 }, (_, n) => n) });
    await tab.run(() => client.close());
    await tab.expect('closed');
    await tab.expect('closed for good: closed');
});

story('five tabs share one persistent id, also after the browser was started again', { seconds: 90 }, async (s) => {
    const daemon = await start(s);
    const pages = site(s, { 'tab.html': page("const generic = client.controller('generic');") });
    const dir = profile(s);

    const visit = async (chromium) => {
        const tab = await chromium.tab(pages.file('tab.html', at(daemon)));
        return tab.run(async () => {
            await generic.open();
            return { CI: generic.id, PI: client.persistentId };
        });
    };

    const first = await browser(s, { dir });
    const one = await visit(first);
    assert.match(one.PI, new RegExp(`^${GUID}$`));
    const five = [one];
    while (five.length < 5) five.push(await visit(first));
    assert.deepEqual([...new Set(five.map(({ PI }) => PI))], [one.PI]);
    assert.equal(new Set(five.map(({ CI }) => CI)).size, 5);
    assert.equal((await daemon.stats()).total.connections, 5);
    await first.close();
    await daemon.nobodyLeft();

    // All at once, as a browser opens what was open when it was closed.
    const second = await browser(s, { dir });
    const again = await Promise.all(Array.from({ length: 5 }, () => visit(second)));
    assert.deepEqual([...new Set(again.map(({ PI }) => PI))], [one.PI]);
    assert.equal(new Set(again.map(({ CI }) => CI)).size, 5);

    // Another profile is somebody else.
    assert.notEqual((await visit(await browser(s))).PI, one.PI);
});

for (const [how, signal] of [['in order', 'SIGTERM'], ['without a word', 'SIGKILL']])
    story(`a page survives a daemon that ended ${how}: it comes back by itself and carries on`, { seconds: 90 }, async (s) => {
        let daemon = await start(s);
        const pages = site(s, { 'chat.html': page(`${chatting}
client.addEventListener('gap', () => console.log('gap'));
const ready = chat.subscribe('news/+', (news, { topic }) => console.log(topic + ': ' + news)).then(() => chat.set('room', 'attic', { keep: true }));
`) });
        const chromium = await browser(s);
        const tab = await chromium.tab(pages.file('chat.html', at(daemon)));
        tab.expected.push(...away);
        await tab.expect('connecting');
        await tab.expect('open');
        await tab.run(() => ready);
        const before = await tab.run(() => ({ CI: chat.id, PI: client.persistentId }));

        const terminal = await text(s, { at: daemon.at(), open: 'chat' });
        terminal.line('chat|news/one|first');
        await tab.expect('news/one: first');

        daemon.expectedEnd = signal === 'SIGKILL';
        daemon.signal(signal);
        await daemon.exit;
        await tab.expect('waiting');
        // What is said meanwhile waits, or is given up by who said it.
        await tab.run(() => {
            globalThis.given = new AbortController();
            chat.publish('say', 'never said', { signal: given.signal });
            chat.publish('say', 'said while you were away');
            globalThis.asked = client.controller('echo').invoke('question', 42, { timeout: 0 });
            given.abort();
        });

        daemon = await again(s, daemon);
        let states = [];
        for (let line; (line = await tab.next()) !== 'open';) states.push(line);
        assert.deepEqual(states.filter((line, n) => line !== (n % 2 ? 'waiting' : 'connecting')), []);
        assert.deepEqual([await tab.next(), await tab.next()].sort(), ['gap', 'heard said while you were away']);
        assert.equal(await tab.run(() => asked), 42);
        const after = await tab.run(() => ({ CI: chat.id, PI: client.persistentId }));
        assert.equal(after.PI, before.PI);

        // In its room and subscribed again.
        const back = await text(s, { at: daemon.at(), open: 'chat' });
        back.line('chat|say|nobody is here');
        back.line('chat|set_room|attic');
        back.line('chat|say|here you are');
        back.line('chat|news/two|second');
        await tab.expect('heard here you are');
        await tab.expect('news/two: second');
    });
