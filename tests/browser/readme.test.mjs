// The lines of README.md, pasted into a real browser's console and into something like `nc`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { demoIni, freePort, modulePath, root, start } from '../scenarios/lib/daemon.mjs';
import { GUID } from '../scenarios/lib/clients.mjs';
import { raw } from '../scenarios/lib/stream.mjs';
import { story } from '../scenarios/lib/story.mjs';
import { browser } from './lib/browser.mjs';

const section = fs.readFileSync(path.join(root, 'README.md'), 'utf8').split(/^## /m)
    .find((text) => text.startsWith('Four clients in one room\n'));

// The code blocks of one language, as they are written.
const blocks = (language) => [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, is]) => is === language).map(([, , text]) => text);

// What the table says, without the escapes of the table: [who, what].
const rows = [...section.matchAll(/^\| ([^|`]+) \| `(.*)` \|$/gm)].map(([, who, what]) => [who, what.replaceAll('\\|', '|')]);

// The daemon as scripts/run starts it, on ports that are free.
async function demo(s) {
    const port = await freePort();
    await start(s, {}, {
        ini: demoIni,
        args: ['-D', `server.module_path=${modulePath}`, '-D', `endpoint demo.port=${port}`, '-D', `endpoint foo.port=${await freePort()}`],
    });
    return port;
}

story('the four clients of README.md hear in a real browser and in a terminal what its table says', { seconds: 60 }, async (s) => {
    const port = await demo(s);
    const at = { host: '127.0.0.1', port };

    // 1. The terminal: what is typed, and behind it what the page shows as the answer.
    const [typed] = blocks('');
    assert.equal(typed, '$ nc 127.0.0.1 4502\nPuttyProtocol\nWelcome to PuttyProtocol\nchat|say|hello\n');
    const terminal = await raw(s, at, 'nc');
    terminal.send('PuttyProtocol\n');
    await terminal.expectExactly('Welcome to PuttyProtocol\r\n');
    terminal.send('chat|say|hello\n');
    assert.match((await terminal.takeUntil('\r\n')).toString(), new RegExp(`^chat\\|2\\|PI:${GUID},CI:${GUID}\r\n$`));
    await terminal.expectExactly('chat|say|"hello"\r\n');

    // 2. to 4. One tab for each, each block pasted as a whole.
    const chromium = await browser(s);
    const there = /Open `(http:\/\/127\.0\.0\.1:4502\/[^`]*)`/.exec(section)[1].replace('4502', port);
    const tabs = {};
    const names = ['XSocketsNET', 'plain WebSocket', 'DemoProtocol'];
    for (const block of blocks('js')) {
        const opens = block.includes('new WebSocket');
        if (opens) {
            const name = names[Object.keys(tabs).length];
            tabs[name] = await chromium.tab(there, { name });
        }
        const tab = Object.values(tabs).at(-1);
        await tab.type(block.replaceAll('127.0.0.1:4502', `127.0.0.1:${port}`));
        // As a person who goes on when it is there: the letter is the variable of the page.
        const variable = block[0];
        if (opens) await tab.type(`${variable}.readyState || await new Promise((resolve) => ${variable}.addEventListener('open', resolve))`);
    }
    assert.deepEqual(Object.keys(tabs), names);
    await terminal.expectExactly('chat|say|"hello from a browser"\r\nchat|say|"hello, just text"\r\nchat|say|"hello as M and J"\r\n');

    const opened = new RegExp(`"CI\\\\":\\\\"${GUID}\\\\",\\\\"PI\\\\":\\\\"${GUID}\\\\",\\\\"C\\\\":\\\\"chat\\\\"`);
    const a = tabs.XSocketsNET, b = tabs['plain WebSocket'], c = tabs.DemoProtocol;
    assert.match(await a.next(), opened);
    await a.expect('{"C":"chat","T":"say","D":"\\"hello from a browser\\""}');
    await a.expect('{"C":"chat","T":"say","D":"\\"hello, just text\\""}');
    await a.expect('{"C":"chat","T":"say","D":"\\"hello as M and J\\""}');
    await b.expect('hello, just text');
    await b.expect('"hello as M and J"'); // J holds JSON, which stays what it is
    assert.match(await c.next(), opened);
    await c.expect('{"M":"say","J":"\\"hello as M and J\\""}');

    // The table: what arrives when the terminal says hello, and nothing in between.
    assert.deepEqual(rows.map(([who]) => who), ['the terminal', ...names]);
    terminal.send('chat|say|hello\n');
    await terminal.expectExactly(`${rows[0][1]}\r\n`);
    for (const [who, what] of rows.slice(1)) await tabs[who].expect(what);

    // "A client that sends chat|set_room|attic moves to another room, and is heard there only."
    assert.ok(section.includes('`chat|set_room|attic`'));
    terminal.send('chat|set_room|attic\nchat|say|up here\n');
    await terminal.expectExactly('chat|say|"up here"\r\n');
    await b.type("b.send('downstairs')");
    await a.expect('{"C":"chat","T":"say","D":"\\"downstairs\\""}');
    await b.expect('downstairs');
    await c.expect('{"M":"say","J":"\\"downstairs\\""}');
    terminal.send('chat|set_room|\nchat|say|back\n');
    await terminal.expectExactly('chat|say|"back"\r\n');
    await a.expect('{"C":"chat","T":"say","D":"\\"back\\""}');
});
