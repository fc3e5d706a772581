// browser - Debian's Chromium with a profile of its own, as somebody who takes part in a story.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { folder, root } from '../../scenarios/lib/daemon.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const pictures = path.join(root, 'build/screenshots');

// Nothing but the page under test asks for anything, and no QUIC, sandbox or GPU that a container may lack.
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

// A tab: its page, and what its console said, which can be waited for.
export class Tab {
    constructor(page, name) {
        this.page = page;
        this.name = name;
        this.lines = []; // what was logged, as text, from the beginning
        this.read = 0; // how many of them next() gave
        this.errors = []; // console errors, exceptions nobody caught
        this.expected = []; // patterns of errors that belong to the story
        this.waiters = new Set();
        page.on('console', (message) => {
            if (message.type() === 'error') this.errors.push(message.text());
            else this.lines.push(message.text());
            this.wake();
        });
        page.on('pageerror', (error) => { this.errors.push(String(error)); this.wake(); });
        page.on('crash', () => { this.gone = 'the page crashed'; this.wake(); });
        page.on('close', () => { this.gone ??= 'the tab was closed'; this.wake(); });
    }

    wake() {
        for (const waiter of [...this.waiters]) waiter();
    }

    // Waits until look() gives something other than undefined; looks again whenever the console spoke.
    until(what, look) {
        return new Promise((resolve, reject) => {
            const attempt = () => {
                try {
                    const found = look();
                    if (found === undefined && this.gone) throw new Error(`${this.name}: ${this.gone} before ${what}`);
                    if (found === undefined) return this.waiters.add(attempt);
                    resolve(found);
                } catch (error) {
                    reject(error);
                }
                return this.waiters.delete(attempt);
            };
            attempt();
        });
    }

    // The next line of the console.
    async next() {
        const line = await this.until('another line of the console', () => this.lines[this.read]);
        this.read++;
        return line;
    }

    async expect(line) {
        assert.equal(await this.next(), line, this.name);
    }

    // Runs text as the console of the developer tools does; what it throws is thrown here.
    async type(expression) {
        this.console ??= await this.page.context().newCDPSession(this.page);
        const { exceptionDetails } = await this.console.send('Runtime.evaluate',
            { expression, replMode: true, userGesture: true });
        if (exceptionDetails)
            throw new Error(`${this.name}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    }

    // A function in the page, and what it gives; may be a promise.
    run(code, argument) {
        return this.page.evaluate(code, argument);
    }

    // build/screenshots/NAME.png
    async picture(name, options) {
        fs.mkdirSync(pictures, { recursive: true });
        await this.page.screenshot({ path: path.join(pictures, `${name}.png`), ...options });
    }

    // No error that the story did not expect.
    clean() {
        const others = this.errors.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
        assert.deepEqual(others, [], `${this.name}: errors in the console`);
    }

    transcript() {
        return [`[${this.name}: ${this.page.url()}${this.gone ? `, ${this.gone}` : ''}]`, ...this.lines.slice(-40).map((line) => `  ${line}`),
            ...this.errors.slice(-20).map((line) => `  ERROR ${line}`)].join('\n');
    }
}

class Browser {
    constructor(context, close = () => context.close()) {
        this.context = context;
        this.close = close;
        this.tabs = [];
        this.first = context.pages()[0]; // the empty one that a browser begins with
    }

    // A new tab, at `url` if one is given.
    async tab(url, { name = `tab ${this.tabs.length + 1}`, size } = {}) {
        const page = this.first ?? await this.context.newPage();
        this.first = undefined;
        const tab = new Tab(page, name);
        this.tabs.push(tab);
        if (size) await page.setViewportSize(size);
        if (url) await page.goto(url);
        return tab;
    }

    transcript() {
        return this.tabs.map((tab) => tab.transcript()).join('\n');
    }

    async end(failed) {
        try {
            if (!failed) for (const tab of this.tabs) tab.clean();
        } finally {
            await this.close();
        }
    }
}

// The folder of an empty profile.
export function profile(story) {
    const dir = folder();
    story.join({
        transcript: () => `[profile ${dir}]`,
        end: () => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 }),
    });
    return dir;
}

// A browser with an empty profile, or the one in `dir`. without: arguments of playwright that it is to do without.
export async function browser(story, { dir = profile(story), without = [], ...options } = {}) {
    const context = await chromium.launchPersistentContext(dir,
        { executablePath, headless: true, chromiumSandbox: false, args, ignoreDefaultArgs: without, timeout: 60000, ...options });
    return story.join(new Browser(context));
}

// The same as people have it: a tab behind another is hidden and may be frozen. (Playwright's own have all tabs in front.)
export async function everyday(story) {
    const child = spawn(executablePath,
        [...args, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile(story)}`, 'about:blank'],
        { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const url = await new Promise((resolve, reject) => {
        let said = '';
        child.stderr.on('data', (text) => {
            said += text;
            const found = /^DevTools listening on (ws:\S+)$/m.exec(said);
            if (found) resolve(found[1]);
        });
        child.on('error', reject);
        child.on('close', () => reject(new Error(`the browser ended:\n${said}`)));
    });
    const connected = await chromium.connectOverCDP(url, { noDefaults: true });
    return story.join(new Browser(connected.contexts()[0], async () => {
        await connected.close();
        child.kill();
        await ended;
    }));
}
