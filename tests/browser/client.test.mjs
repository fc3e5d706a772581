// The compiled JavaScript client in a real browser.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { start } from '../scenarios/lib/daemon.mjs';
import { GUID, text } from '../scenarios/lib/clients.mjs';
import { story } from '../scenarios/lib/story.mjs';
import { browser, everyday, profile } from './lib/browser.mjs';
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

story('where messages are packed a page says and hears the same', { seconds: 60 }, async (s) => {
    const daemon = await start(s, { server: { workers: 1 }, 'protocol websocket': { deflate: 'yes' } });
    const pages = site(s, { 'chat.html': page(chatting) });
    const chromium = await browser(s);
    const tab = await chromium.tab(pages.file('chat.html', at(daemon)));
    await tab.expect('connecting');
    await tab.expect('open');
    assert.equal(await tab.run((url) => new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => { resolve(socket.extensions); socket.close(); };
    }), `ws://127.0.0.1:${daemon.port}`), 'permessage-deflate; server_no_context_takeover; client_no_context_takeover');

    await tab.run(() => chat.open());
    const long = 'caf\u00e9 \u{1f600} '.repeat(3000);
    const before = await daemon.stats();
    await tab.run((long) => chat.publish('say', long), long);
    await tab.expect(`heard ${long}`);
    const { total } = await daemon.stats();
    for (const way of ['bytes_in', 'bytes_out'])
        assert.ok(total[way] - before.total[way] < long.length / 10, `${way} ${total[way] - before.total[way]}`);
    assert.equal(await tab.run((long) => client.controller('echo').invoke('say', long), long), long);
    assert.deepEqual(await tab.run(async () => {
        const { bytes } = await client.controller('echo').request('blob', null, { bytes: new Uint8Array(5000).fill(7) });
        return [bytes.length, bytes.every((byte) => byte === 7)];
    }), [5000, true]);
    await tab.run(() => client.close());
    await tab.expect('closed');
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

// ---- pages that the daemon serves ----

async function served(s, files) {
    const pages = site(s, files);
    const daemon = await start(s, { 'protocol http': { document_root: pages.dir } });
    return Object.assign(daemon, { page: (name) => `http://127.0.0.1:${daemon.port}/${name}` });
}

// Everything may come from the page's own place only.
const strict = (scripts) => `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:">
<title>client</title>
<link rel="icon" href="data:,">
${scripts}`;

const speaks = (name) => `
const client = new Client(self.location.origin);
const chat = client.controller('chat');
chat.on('say', (text) => say('${name} heard ' + text));
client.open().then(() => chat.invoke('get_room')).then(() => say('${name} is there'));
`;

story('the client runs as a script, a module, in a worker, a module worker and a shared worker, under a strict policy', { seconds: 60 }, async (s) => {
    const daemon = await served(s, {
        'script.html': strict('<script src="xsockets.min.js"></script><script src="script.js"></script>'),
        'script.js': `const { Client } = XSockets; const say = console.log;${speaks('script')}`,
        'module.html': strict('<script type="module" src="module.js"></script>'),
        'module.js': `import { Client } from './xsockets.js'; const say = console.log;${speaks('module')}`,
        'worker.html': strict('<script src="worker.js"></script>'),
        'worker.js': "new Worker('in-worker.js').onmessage = (event) => console.log(event.data);",
        'in-worker.js': `importScripts('xsockets.min.js'); const { Client } = XSockets; const say = (text) => postMessage(text);${speaks('worker')}`,
        'module-worker.html': strict('<script src="module-worker.js"></script>'),
        'module-worker.js': "new Worker('in-module-worker.js', { type: 'module' }).onmessage = (event) => console.log(event.data);",
        'in-module-worker.js': `import { Client } from './xsockets.js'; const say = (text) => postMessage(text);${speaks('module-worker')}`,
        'shared-worker.html': strict('<script src="shared-worker.js"></script>'),
        'shared-worker.js': "new SharedWorker('in-shared-worker.js').port.onmessage = (event) => console.log(event.data);",
        'in-shared-worker.js': `importScripts('xsockets.min.js'); const { Client } = XSockets;
            const port = new Promise((resolve) => { onconnect = (event) => resolve(event.ports[0]); });
            const say = (text) => port.then((to) => to.postMessage(text));${speaks('shared-worker')}`,
    });
    const chromium = await browser(s);
    const names = ['script', 'module', 'worker', 'module-worker', 'shared-worker'];
    const tabs = [];
    for (const name of names) {
        const tab = await chromium.tab(daemon.page(`${name}.html`), { name });
        await tab.expect(`${name} is there`);
        tabs.push(tab);
    }
    const terminal = await text(s, { open: 'chat' });
    terminal.line('chat|say|hello, all of you');
    for (const [n, name] of names.entries()) await tabs[n].expect(`${name} heard hello, all of you`);
});

// Left alone, these would wait for an hour before they try again.
const patient = '{ reconnect: { decide: () => 3600000 } }';

const watched = page(`${chatting}
addEventListener('pageshow', ({ persisted }) => { if (persisted) console.log('shown again'); });
document.addEventListener('visibilitychange', () => console.log(document.visibilityState));
`, patient);

// Reads on until this line came.
async function until(tab, line) {
    while (await tab.next() !== line);
}

story('a page that was left comes back as it was, and is connected at once', { seconds: 60 }, async (s) => {
    const daemon = await served(s, { 'chat.html': watched, 'other.html': '<!doctype html><title>other</title><link rel="icon" href="data:,">' });
    const chromium = await browser(s, { without: ['--disable-back-forward-cache'] });
    const tab = await chromium.tab(daemon.page('chat.html'));
    await until(tab, 'open');
    await tab.run(() => { globalThis.kept = 42; });
    await tab.page.goto(daemon.page('other.html'));
    await daemon.logged(/a connection has ended" endpoint=main protocol=websocket/);
    await tab.type('history.back()');
    await until(tab, 'shown again');
    await until(tab, 'open');
    await tab.type("console.log('kept ' + kept)");
    await until(tab, 'kept 42');
    const terminal = await text(s, { open: 'chat' });
    terminal.line('chat|say|welcome back');
    await until(tab, 'heard welcome back');
});

story('a page that was frozen in the background is connected when it is in front again', { seconds: 60 }, async (s) => {
    const daemon = await served(s, { 'chat.html': watched });
    const chromium = await everyday(s);
    const tab = await chromium.tab(daemon.page('chat.html'));
    await until(tab, 'open');
    await chromium.tab(undefined, { name: 'in front' });
    await until(tab, 'hidden');
    const devtools = await chromium.context.newCDPSession(tab.page);
    tab.expected.push(...away);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await tab.until('Chromium says that the socket is closed', () => tab.errors[0]);
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await until(tab, 'waiting');
    await tab.page.bringToFront();
    await until(tab, 'open');
    const terminal = await text(s, { open: 'chat' });
    terminal.line('chat|say|still there?');
    await until(tab, 'heard still there?');
});

story('a page whose daemon was away tries at once when the network is back', { seconds: 60 }, async (s) => {
    let daemon = await start(s);
    const pages = site(s, { 'chat.html': watched });
    const chromium = await browser(s);
    const tab = await chromium.tab(pages.file('chat.html', at(daemon)));
    tab.expected.push(...away);
    await until(tab, 'open');
    await daemon.stop();
    await until(tab, 'waiting');
    daemon = await again(s, daemon);
    await chromium.context.setOffline(true);
    await chromium.context.setOffline(false);
    await until(tab, 'open');
    const terminal = await text(s, { at: daemon.at(), open: 'chat' });
    terminal.line('chat|say|there you are');
    await until(tab, 'heard there you are');
});
