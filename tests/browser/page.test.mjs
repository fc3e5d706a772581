// The page of clients/page, as the daemon serves it with config/demo.ini.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { demoIni, freePort, modulePath, root, start } from '../scenarios/lib/daemon.mjs';
import { native, text } from '../scenarios/lib/clients.mjs';
import { story } from '../scenarios/lib/story.mjs';
import { browser } from './lib/browser.mjs';

const folder = path.join(root, 'clients/page');
const away = [/^WebSocket connection to '.*' failed/]; // what Chromium says while there is no daemon

// The daemon as scripts/run starts it; on `port` once more if one is given.
async function demo(s, port) {
    const taken = port ?? await freePort();
    const daemon = await start(s, {}, {
        ini: demoIni,
        args: ['-D', `server.module_path=${modulePath}`,
            '-D', `endpoint demo.port=${taken}`, '-D', `endpoint foo.port=${await freePort()}`],
    });
    return Object.assign(daemon, { port: taken });
}

// The page in a tab, by what a person sees and does.
class Page {
    constructor(tab) {
        this.tab = tab;
        this.page = tab.page;
    }

    state(state) {
        return this.page.waitForSelector(`#state[data-state="${state}"]`);
    }

    async type(text) {
        await this.page.fill('#text', text);
        await this.page.press('#text', 'Enter');
    }

    async called(name) {
        await this.page.fill('#name', name);
        await this.page.press('#name', 'Tab');
    }

    // The log as [name, text], a notice as its text.
    log() {
        return this.page.$$eval('#log > li', (items) => items.map((item) => item.className.startsWith('said')
            ? [item.dataset.name, item.querySelector('p').textContent] : item.textContent));
    }

    hears(name, text) {
        return this.page.waitForFunction(([name, text]) => [...document.querySelectorAll('#log > .said')].some((item) =>
            item.dataset.name === name && item.querySelector('p').textContent === text), [name, text]);
    }

    sees(selector, text) {
        return this.page.waitForFunction(([selector, text]) => document.querySelector(selector).textContent === text, [selector, text]);
    }
}

async function open(chromium, daemon, { query = '', name, ...options } = {}) {
    const tab = await chromium.tab(undefined, { name, ...options });
    const page = new Page(tab);
    tab.expected.push(...away);
    await tab.page.goto(`http://127.0.0.1:${daemon.port}/${query}`);
    await page.state('open');
    if (name) await page.called(name);
    return page;
}

// A command of the page in a real shell, at a terminal of its own; what is seen there is gathered.
function shell(s, command) {
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env: { ...process.env, SHELL: '/bin/sh' } });
    const gone = new Promise((resolve) => child.on('close', resolve));
    const run = {
        child, out: '', waiters: new Set(),
        until: (part) => new Promise((resolve) => {
            const look = () => {
                if (!run.out.includes(part)) return;
                run.waiters.delete(look);
                resolve();
            };
            run.waiters.add(look);
            look();
        }),
        transcript: () => `[${command}]\n  ${run.out.replace(/\n/g, '\n  ')}`,
        async end() {
            child.kill('SIGTERM'); // and the terminal is gone for what runs in it
            await gone;
        },
    };
    for (const stream of [child.stdout, child.stderr])
        stream.on('data', (bytes) => {
            run.out += bytes;
            for (const look of [...run.waiters]) look();
        });
    return s.join(run);
}

story('every line that the page offers is true', { seconds: 120 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { name: 'anna' });
    const cards = await page.page.$$eval('[data-card]', (all) => all.map((card) => ({
        name: card.dataset.card,
        blocks: [...card.querySelectorAll('[data-run]')].map((each) => [each.dataset.run, each.textContent]),
    })));
    assert.deepEqual(cards.map(({ name }) => name),
        ['terminal', 'console', 'plain', 'demo', 'javascript', 'node', 'arduino', 'photon', 'len16', 'curl']);

    for (const { name, blocks } of cards) {
        const everything = blocks.map(([, lines]) => lines).join('\n');
        assert.ok(everything.includes(daemon.port), `${name} names this server`);
        assert.doesNotMatch(everything, /\{(host|port|ws|http)\}/, name);
        const hears = []; // what waits until this client has heard something
        for (const [how, lines] of blocks) {
            if (how === 'sh') {
                const run = shell(s, lines);
                hears.push((what) => run.until(what));
            } else if (how === 'typed') {
                s.members.at(-1).child.stdin.write(`${lines}\n`);
            } else {
                assert.equal(how, 'console');
                const { tab } = await open(chromium, daemon, { query: '#elsewhere' });
                await tab.type(lines);
                hears.push((what) => tab.until(what, () => tab.lines.some((line) => line.includes(what)) || undefined));
            }
        }
        if (name === 'curl') {
            await hears[0]('ok');
            continue;
        }
        const [, who, what] = /["'|](\w+): ([^"'\n]+)/.exec(everything);
        await page.hears(who, what);
        await page.type(`good morning, ${name}`);
        await page.hears('anna', `good morning, ${name}`);
        await hears[0](`anna: good morning, ${name}`);
        if (name === 'terminal') {
            await page.page.waitForFunction(() => document.querySelector('#who').textContent.includes('tom'));
            const [, there, back] = /^(chat\|set_room\|attic) goes to the attic, (chat\|set_room\|) back\.$/.exec(
                await page.page.$eval('[data-card="terminal"] > p:last-of-type', (p) => p.textContent));
            const attic = await open(chromium, daemon, { query: '#attic' });
            const terminal = s.members.findLast((each) => each.child?.stdin).child.stdin;
            terminal.write(`${there}\nchat|say|up here\n`);
            await attic.hears('', 'up here');
            terminal.write(`${back}\nchat|say|down again\n`);
            await page.hears('', 'down again');
        }
    }
    assert.ok(!(await page.log()).some((line) => line[1] === 'up here'));
});

story('the server goes and comes back: the page says so, comes back by itself and carries on', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { query: '#attic', name: 'anna' });
    await page.sees('#who-count', '1');
    await page.page.waitForSelector('#clock[datetime]');
    await page.type('before');
    await page.hears('anna', 'before');
    const where = () => page.page.$$eval('header, main, .people, .chat, .clients, #scroller, #say, #clock, #who', (all) =>
        all.map((each) => JSON.stringify(each.getBoundingClientRect())));
    const placed = await where();

    await daemon.stop();
    await page.state('away');
    await page.page.waitForFunction(() => /^Away, trying again( in \d s| …)$/.test(document.querySelector('#state-text').textContent));
    assert.ok(await page.page.isVisible('#retry'));
    assert.deepEqual(await where(), placed, 'nothing moves');
    await page.type('while it was away');
    await page.type('one more');
    await page.page.getByText('Sent when the server is back').nth(1).waitFor();

    const other = await demo(s, daemon.port);
    const listener = await text(s, { at: other.at() });
    listener.line('chat|set_room|attic');
    listener.line('chat|get_room|');
    await listener.opened('chat');
    await listener.expect('chat|get_room|"attic"');
    await page.page.click('#retry', { timeout: 1000 }).catch(() => {}); // if it is not back already
    await page.state('open');
    await page.hears('anna', 'one more');
    const log = await page.log();
    const back = log.findIndex((line) => /^The server was away for \d+ s\./.test(line));
    assert.ok(back > 0);
    assert.deepEqual(log.filter((line) => Array.isArray(line)),
        [['anna', 'before'], ['anna', 'while it was away'], ['anna', 'one more']]);
    assert.equal(await page.page.locator('#outbox > li').count(), 0);
    await page.sees('#who-count', '1');
    await page.sees('#who', 'Aanna');
    // Both were said, in the same room, if the listener was in it by then; what is said now in any case.
    await page.type('after');
    for (;;) if (await listener.next() === 'chat|say|"anna: after"') break;
    listener.line('chat|say|"ben: welcome back"');
    await page.hears('ben', 'welcome back');
});

story('what could not be sent says why and can be sent again', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { query: '#attic', name: 'anna' });
    await daemon.stop();
    await page.state('away');
    await page.type('for the attic');
    await page.page.click('#rooms button:text-is("workshop")');
    await page.page.getByText('Not sent: it was meant for another room.').waitFor();
    await page.type('for the workshop');
    await demo(s, daemon.port);
    await page.state('open');
    await page.hears('anna', 'for the workshop');
    assert.ok(!(await page.log()).some((line) => line[1] === 'for the attic'));
    await page.page.getByRole('button', { name: 'Send again' }).click();
    await page.hears('anna', 'for the attic');
    assert.equal(await page.page.locator('#outbox > li').count(), 0);
});

story('a room stands in the address and is remembered, as the name is; who is in another one hears nothing', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const anna = await open(chromium, daemon, { name: 'anna' });
    const bert = await open(chromium, daemon, { name: 'bert', query: '#J%C3%BCrgens%20Keller' });
    await bert.sees('#room-title', 'Jürgens Keller');
    await anna.sees('#who-count', '2');
    await anna.page.waitForFunction(() => document.querySelector('#who').textContent.includes('bert'));
    await bert.type('down here');
    await bert.hears('bert', 'down here');
    await anna.page.fill('#room', 'Jürgens Keller');
    await anna.page.press('#room', 'Enter');
    await anna.sees('#room-title', 'Jürgens Keller');
    assert.equal(new URL(anna.page.url()).hash, '#J%C3%BCrgens%20Keller');
    await anna.type('hello');
    await bert.hears('anna', 'hello');
    assert.ok(!(await anna.log()).some((line) => line[1] === 'down here'));

    await anna.page.goto(`http://127.0.0.1:${daemon.port}/`);
    await anna.page.reload();
    await anna.state('open');
    await anna.sees('#room-title', 'Jürgens Keller');
    await bert.type('still here');
    await anna.hears('bert', 'still here');
    assert.equal(await anna.page.inputValue('#name'), 'bert'); // the last one that was told in this browser
    await anna.page.goBack();
    await anna.page.click('#rooms button:text-is("lobby")');
    await anna.sees('#room-title', 'lobby');
});

story('what comes over the wire is text, whatever it looks like', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { name: 'anna' });
    const terminal = await text(s, { at: daemon.at(), open: 'chat' });
    const long = 'x'.repeat(100000);
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    for (const [sent, name, shown] of [
        [evil, '', evil],
        [`<b>eve</b>: ${evil}`, '<b>eve</b>', evil],
        ['{"a":[1,2,{"b":"c: d"}]}', '', '{"a":[1,2,{"b":"c: d"}]}'],
        ['42', '', '42'],
        ['null', '', 'null'],
        ['', '', 'null'],
        ['""', '', ''],
        ['"a name of thirty-one characters: x"', 'a name of thirty-one characters', 'x'],
        ['"a name of thirty-two characters!: x"', '', 'a name of thirty-two characters!: x'],
        ['"https://example.org/"', '', 'https://example.org/'],
        ['"two\\nlines"', '', 'two\nlines'],
        ['"😀: 😀😀"', '😀', '😀😀'],
        [long, '', `${long.slice(0, 4000)} … (100000 characters in all)`],
    ]) {
        terminal.line(`chat|say|${sent}`);
        await page.hears(name, shown);
    }
    const plain = await native(s, { at: daemon.at() });
    plain.binary(Buffer.from([1, 2, 3]));
    await page.hears('', '3 bytes');
    assert.equal(await page.page.locator('#log :is(img, script, b, a)').count(), 0);
    await page.type(evil);
    await page.hears('anna', evil);
});

story('a message that is too long and a name that cannot be are told in a sentence, and nothing is cut', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { name: 'anna' });
    await page.type('y'.repeat(2001));
    await page.sees('#hint', '2001 characters; a message has at most 2000.');
    assert.equal((await page.page.inputValue('#text')).length, 2001);
    await page.type('y'.repeat(2000));
    await page.hears('anna', 'y'.repeat(2000));
    for (const [name, sentence] of [
        ['', 'Others need a name to call you.'],
        ['a: b', 'A name has no colon.'],
        ['ä'.repeat(16), 'A name has at most 31 bytes.'],
    ]) {
        await page.called(name);
        await page.sees('#hint', sentence);
        await page.type('not said');
        await page.page.fill('#text', '');
    }
    await page.called('ä'.repeat(15));
    await page.type('said');
    await page.hears('ä'.repeat(15), 'said');
    assert.ok(!(await page.log()).some((line) => line[1] === 'not said'));
    await page.page.waitForFunction((name) => document.querySelector('#who').textContent.includes(name), 'ä'.repeat(15));
});

story('the log stays where one reads and forgets what is 500 messages old', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { name: 'anna' });
    const terminal = await text(s, { at: daemon.at(), open: 'chat' });
    for (let n = 1; n <= 120; n++) terminal.line(`chat|say|n ${n}`);
    await page.hears('', 'n 120');
    const atEnd = () => page.page.$eval('#scroller', (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2);
    assert.ok(await atEnd());
    await page.page.$eval('#scroller', (box) => { box.scrollTop = 300; });
    await page.page.waitForFunction(() => document.querySelector('#scroller').scrollTop === 300);
    terminal.line('chat|say|later');
    await page.hears('', 'later');
    await page.page.getByRole('button', { name: 'More below' }).waitFor();
    assert.equal(await page.page.$eval('#scroller', (box) => box.scrollTop), 300);
    await page.page.getByRole('button', { name: 'More below' }).click();
    await page.page.waitForFunction(() => document.querySelector('#more').hidden);
    assert.ok(await atEnd());
    for (let n = 1; n <= 700; n++) terminal.line(`chat|say|m ${n}`);
    await page.hears('', 'm 700');
    assert.equal(await page.page.locator('#log > li').count(), 500);
    assert.ok(await atEnd());
});

story('of ten thousand messages at once only what stays is built', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon);
    const [built, lines, last] = await page.tab.run(async () => {
        const { Log } = await import('/view.js');
        const part = (tag) => document.body.appendChild(document.createElement(tag));
        const list = part('ol');
        const log = new Log({ list, outbox: part('ol'), scroller: part('div'), more: part('button') });
        const usual = document.createElement;
        let count = 0;
        document.createElement = (...args) => { count++; return usual.apply(document, args); };
        for (let n = 1; n <= 10000; n++) log.heard(`bob: message ${n}`);
        await new Promise((resolve) => new MutationObserver(resolve).observe(list, { childList: true }));
        return [count, list.childElementCount, list.lastElementChild.querySelector('p').textContent];
    });
    assert.ok(built <= 500 * 6, `${built} elements were made`);
    assert.equal(lines, 500);
    assert.equal(last, 'message 10000');
});

story('an address with a room that cannot be, or a server that looks like an option, is passed over', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { name: 'anna', query: '?server=ws://-e:4502#a%00b' });
    assert.equal(await page.page.textContent('#room-title'), 'lobby');
    assert.equal(await page.page.textContent('pre[data-run=sh]'), `nc 127.0.0.1 ${daemon.port}`);
    await page.type('heard where it says');
    await page.hears('anna', 'heard where it says');
});

// The contrast of every visible text with what lies behind it, WCAG 2.2 section 1.4.3; gives what is below 4.5.
const faint = () => {
    const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
            if (a === 1) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!own || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || element.closest('.unseen')) continue;
        const pair = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
        const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (contrast < 4.5) found.push(`${element.tagName} ${element.className} "${element.textContent.slice(0, 30)}": ${contrast.toFixed(2)}`);
    }
    return found;
};

story('the page fits every width, can be read in light and dark, and asks nobody but its server', { seconds: 120 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s, { reducedMotion: 'reduce' });
    const asked = new Set();
    chromium.context.on('request', (request) => asked.add(new URL(request.url()).host));
    const page = await open(chromium, daemon, { name: 'anna' });
    const terminal = await text(s, { at: daemon.at(), open: ['chat', 'online'] });
    terminal.line('online|name|tom');
    for (const line of ['tom: hello from a terminal', '"arduino: 21.5 C"', '{"sensor":"window","open":false,"since":"07:42"}',
        '"photon: the door is open"', '"photon: the door is shut"', 'just a line from nc'])
        terminal.line(`chat|say|${line}`);
    await page.hears('', 'just a line from nc');
    await page.type('Good morning! Is the window in the workshop open?');
    await page.hears('anna', 'Good morning! Is the window in the workshop open?');
    await page.sees('#who-count', '2');

    const fits = () => page.page.evaluate(() => [document.documentElement.scrollWidth <= innerWidth, document.documentElement.scrollHeight <= innerHeight]);
    for (const [width, height] of [[1280, 800], [390, 844], [320, 568], [768, 1024], [1920, 1080]]) {
        await page.page.setViewportSize({ width, height });
        for (const colorScheme of ['light', 'dark']) {
            await page.page.emulateMedia({ colorScheme });
            for (const part of width < 760 ? ['people', 'clients', 'chat'] : ['chat']) {
                if (width < 760) await page.page.click(`[data-show="${part}"]`);
                assert.deepEqual(await fits(), [true, true], `${part} at ${width}`);
                assert.deepEqual(await page.tab.run(faint), [], `${part} in ${colorScheme}`);
                await page.tab.picture(`page-${width}-${colorScheme}-${part}`);
            }
        }
    }

    await daemon.stop();
    await page.state('away');
    await page.type('Is anybody there?');
    for (const [width, height] of [[1280, 800], [320, 568]]) {
        await page.page.setViewportSize({ width, height });
        for (const colorScheme of ['light', 'dark']) {
            await page.page.emulateMedia({ colorScheme });
            assert.deepEqual(await fits(), [true, true], `away at ${width}`);
            assert.deepEqual(await page.tab.run(faint), [], `away in ${colorScheme}`);
            await page.tab.picture(`page-${width}-${colorScheme}-away`);
        }
    }
    assert.deepEqual([...asked], [`127.0.0.1:${daemon.port}`]);
    const own = fs.readdirSync(folder).filter((name) => !name.startsWith('xsockets.min.js'));
    assert.deepEqual(own.sort(), ['icon.svg', 'index.html', 'page.css', 'page.js', 'view.js']);
    assert.ok(own.reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0) < 40000, 'the page is small');
});

story('the page can be used with the keyboard and by ear', { seconds: 60 }, async (s) => {
    const daemon = await demo(s);
    const chromium = await browser(s);
    const page = await open(chromium, daemon, { name: 'anna' });
    // Everything that can be reached has a name, and is seen when it is.
    const reached = [];
    await page.page.reload();
    await page.state('open');
    for (;;) {
        await page.page.keyboard.press('Tab');
        const at = await page.page.evaluate(() => {
            const { activeElement: at } = document;
            if (at === document.body) return null;
            const { outlineStyle } = getComputedStyle(at);
            const label = at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent.trim();
            return { label, seen: outlineStyle !== 'none', id: at.id };
        });
        if (!at || reached.some(({ id }) => id && id === at.id)) break;
        assert.ok(at.label, `${at.id} has a name`);
        assert.ok(at.seen, `${at.label} shows that it has the focus`);
        reached.push(at);
    }
    for (const label of ['lobby', 'Another room', 'Copy link', 'What was said', 'your name', 'Message', 'Say', 'Copy'])
        assert.ok(reached.some((at) => at.label === label), `${label} is reached: ${reached.map((at) => at.label)}`);
    assert.equal(await page.page.$eval('#log', (list) => list.parentElement.role), 'log');
    await page.sees('#announced', 'Connected.');
    // A line is copied as it stands.
    await page.page.locator('[data-card="terminal"] button').first().focus();
    await page.page.keyboard.press('Enter');
    await page.sees('#announced', 'Copied.');
    await page.page.locator('#text').focus();
    await page.page.keyboard.press('Control+V');
    assert.equal(await page.page.inputValue('#text'), `nc 127.0.0.1 ${daemon.port}\n`);
});
