// All of the original clients in one chat: each hears each, in its own words.
import assert from 'node:assert/strict';
import { Arduino } from './arduino.mjs';
import { XSocketClient } from './dotnet_6_3_1.mjs';
import { js_5_0_0 } from './js_5_0_0.mjs';
import { js_6_0_1 } from './js_6_0_1.mjs';
import { js_6_1_0 } from './js_6_1_0.mjs';
import { js_6_2_0 } from './js_6_2_0.mjs';
import { Page, urlOf } from './lib/browser.mjs';
import { start, story } from './lib/workers.mjs';
import { TcpClient } from './nodejs.mjs';
import { Photon } from './photon.mjs';
import { Putty } from './putty.mjs';

// What every member of the chat can do, whatever it is: say(value), enter(room), room() which asks where it is, heard() which
// waits for what somebody said and gives its value, leave(). blob(bytes) where the client has room for it; heard() is then bytes.
const PACE = 30; // ms, of NodeJS

const whole = (message) => message?.binary ? Buffer.from(message.binary) : message;

async function page6(s, load, place) {
    const page = new Page(s);
    const conn = new (load(page).xsockets).client(urlOf(s.daemon), ['chat']);
    const chat = conn.controller('chat'), heard = page.box('say'), room = page.box('room'), opened = chat.onOpen = page.box('onOpen');
    conn.setParameters({ place });
    chat.on('say', heard);
    conn.open();
    await opened.take();
    return { name: load.name, say: (value) => chat.invoke('say', value), enter: (name) => chat.setProperty('room', name),
        room: () => { chat.getProperty('room', room); return room.next(); }, heard: async () => whole(await heard.next()),
        blob: (bytes) => chat.invokeBinary('say', bytes), leave: () => conn.close() };
}

async function page5(s, place) {
    const page = new Page(s);
    const conn = new (js_5_0_0(page).XSockets.WebSocket)(urlOf(s.daemon), ['chat'], { place });
    const chat = conn.controller('chat'), heard = page.box('say'), room = page.box('room'), opened = chat.onopen = page.box('onopen');
    chat.on('say', (data) => heard(data));
    chat.on('get_room', (data) => room(data));
    await opened.take();
    return { name: 'js_5_0_0', say: (value) => chat.publish('say', value), enter: (name) => chat.setProperty('room', name),
        room: () => { chat.publish('get_room', ''); return room.next(); }, heard: async () => whole(await heard.next()),
        blob: (bytes) => chat.invokeBinary('say', bytes), leave: () => conn.disconnect() };
}

async function dotnet(s, place) {
    const client = new XSocketClient(s, urlOf(s.daemon), 'http://localhost', 'Chat');
    const chat = client.Controller('chat'), heard = client.box('say'), opened = chat.OnOpen = client.box('OnOpen');
    client.QueryString.set('place', place);
    chat.OnMessageOf('say', heard);
    await client.Open();
    await opened.take();
    return { name: 'dotnet', say: (value) => chat.Publish('say', value), enter: (name) => chat.SetProperty('room', name),
        room: () => chat.GetProperty('room'), blob: (bytes) => chat.PublishBlob('say', bytes), leave: () => client.Disconnect(),
        heard: async () => { const message = await heard.next(); return message.Blob ? Buffer.from(message.Blob) : message.Extract(); } };
}

async function nodejs(s) {
    const client = new TcpClient(s, '127.0.0.1', s.daemon.port, ['Chat'], { pace: PACE });
    const chat = client.controller('Chat'), heard = client.box('say'), room = client.box('room'), opened = chat.onopen = client.box('onopen');
    chat.on('say', heard);
    chat.on('get_room', room);
    client.open();
    await opened.take();
    return { name: 'nodejs', say: (value) => chat.send('say', value), enter: (name) => chat.send('set_room', name),
        room: () => { chat.send('get_room', ''); return room.next(); }, heard: () => heard.next(), leave: () => client.close() };
}

const text = (value) => typeof value === 'string' ? value : JSON.stringify(value);

function said(line, topic) {
    assert.ok(line.startsWith(`chat|${topic}|`), line);
    return JSON.parse(line.slice(`chat|${topic}|`.length));
}

async function board(s, Kind) {
    const one = new Kind(s);
    const heard = one.box('frame');
    one.setOnMessageDelegate(heard);
    assert.ok(await one.connect('127.0.0.1', s.daemon.port));
    one.send('chat', 'get_room', '');
    assert.match(await heard.next(), /^chat\|2\|/);
    await heard.expect('chat|get_room|""');
    return { name: Kind.name, say: (value) => one.send('chat', 'say', text(value)), enter: (name) => one.send('chat', 'set_room', name),
        room: async () => { one.send('chat', 'get_room', ''); return said(await heard.next(), 'get_room'); },
        heard: async () => said(await heard.next(), 'say'), leave: () => one.disconnect() };
}

async function putty(s, place) {
    const one = new Putty(s);
    await one.connect('127.0.0.1', s.daemon.port, `?place=${place}`);
    await one.open('chat');
    return { name: 'putty', say: (value) => one.send('chat', 'say', text(value)), enter: (name) => one.send('chat', 'set_room', name),
        room: async () => { one.send('chat', 'get_room'); return said(await one.lines.next(), 'get_room'); },
        heard: async () => said(await one.lines.next(), 'say'), leave: () => one.close() };
}

const BUSY = [(s, place) => page5(s, place), (s, place) => page6(s, js_6_0_1, place), (s, place) => page6(s, js_6_1_0, place),
    (s, place) => page6(s, js_6_2_0, place), dotnet, (s) => board(s, Arduino), (s) => board(s, Photon), putty];

async function everybody(s, kinds = [...BUSY, nodejs]) {
    const members = [];
    for (const join of kinds) members.push(await join(s, members.length % s.workers));
    return members;
}

async function allHear(members, value) {
    for (const member of members) assert.deepEqual(await member.heard(), value, member.name);
}

story('all of them in one chat hear each other', { seconds: 60 }, async (s) => {
    await start(s, { 'protocol json': { pace: `${PACE}ms` } });
    const members = await everybody(s);
    const outsider = await page6(s, js_6_2_0, s.workers - 1);
    for (const member of members) {
        member.enter('red');
        assert.equal(await member.room(), 'red', member.name);
    }
    for (const member of members) {
        for (const value of [`hello from ${member.name}`, { from: member.name, list: [1, true, null, 'a|b'] }]) {
            member.say(value);
            await allHear(members, value);
        }
    }
    // A blob is for those who have room for it; the others do not notice.
    const bytes = Buffer.from([0, 1, 0xff, 0x7c, 0x0a]);
    const binary = members.filter(({ blob }) => blob);
    assert.equal(binary.length, 5);
    for (const member of binary) {
        member.blob(bytes);
        await allHear(binary, bytes);
        member.say(`and ${member.name} goes on`);
        await allHear(members, `and ${member.name} goes on`);
    }
    outsider.say('outside');
    await allHear([outsider], 'outside');
    // One goes, whoever it is: the others go on.
    while (members.length > 1) {
        members.shift().leave();
        members[0].say(`${members.length} are left`);
        await allHear(members, `${members.length} are left`);
    }
    members[0].leave();
    outsider.leave();
    await s.daemon.nobodyLeft();
});

// Without NodeJS, whose pace would make it long.
story('two of each talk at once, each hears all, each speaker\'s words in order', { seconds: 60 }, async (s) => {
    await start(s);
    const members = await everybody(s, [...BUSY, ...BUSY]);
    const count = 10;
    for (let n = 0; n < count; n++) for (const [i, member] of members.entries()) member.say([i, n]);
    await Promise.all(members.map(async (member) => {
        const next = members.map(() => 0);
        for (let all = 0; all < count * members.length; all++) {
            const [i, n] = await member.heard();
            assert.equal(n, next[i]++, `${member.name}, from ${members[i].name}`);
        }
    }));
});
