// A client cannot speak as the server: reserved topics, from each protocol, through each controller that relays.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { demo, json, len16, mcu, native, photon, text, xsocketsnet } from './lib/clients.mjs';

// What only the server says: topic 4 to whoever tries.
const REFUSED = ['0', '2', '4', '10', '11', '12', '13', '14', '__', '__foo', '__2', 's1:color', 's2:color', 's3:color', 'S2:Color',
    '0xcc', '0x14', '0xc8', '0x15', '0xcb', '0x1f4', '0x12c', '0x12d', '0x12e', '0x190', '0x191', '0x192', '0x193', '0X14',
    'a/+', '+', '#', 'a/#', 'a+b', 'a#', 'a\x01b', '\x7f', 'a\tb', 'get_nothing', 'set_nothing', 'get_', 'set_', 'GET_x'];
// What a client may say, and what still is nobody else's business: [topic, data].
const PRIVATE = [['1', 'null'], ['5', '{"T":"quiet","A":true}'], ['6', '{"T":"quiet"}'], ['7', 'null'], ['8', '"x"'], ['9', 'null'],
    ['s1', '{"K":"a","V":"1"}'], ['s2', '{"K":"a"}'], ['s3', '{"K":"a"}'], ['s4', 'null']];

async function everybodyElse(s, controller) {
    const others = {
        xsn: await xsocketsnet(s, { open: controller, place: 0 }),
        far: await xsocketsnet(s, { open: controller, place: 1 }),
        text: await text(s, { open: controller, place: 1 }),
        native: await native(s, { place: 1 }),
        demo: await demo(s, { controller, place: 0 }),
        mcu: await mcu(s, { open: controller, place: 0 }),
        json: await json(s, { open: controller.toUpperCase(), place: 1 }),
    };
    for (const one of [others.xsn, others.far]) {
        one.subscribe(controller, '#', true);
        await one.expect(controller, '__#', `{\\"T\\":\\"#\\",\\"C\\":\\"${controller}\\",\\"A\\":true}`);
    }
    for (const one of [others.text, others.mcu]) {
        one.line(`${controller}|subscribe|#`);
        one.line(`${controller}|s2|done`);
        await one.expect(`${controller}|s2:done|{"K":"done","V":null}`);
    }
    others.json.subscribe(controller, '#', true);
    await others.json.expect(controller.toUpperCase(), '__#', `{\\"T\\":\\"#\\",\\"C\\":\\"${controller}\\",\\"A\\":true}`);
    return others;
}

// The next thing they hear is the word that is said now. Chat's own word reaches those without a subscription.
async function hearNothingBut(others, controller, word, say) {
    say(word);
    if (controller === 'chat') say('say');
    for (const one of controller === 'chat' ? [word, 'say'] : [word]) await everybodyHears(others, controller, one);
}

async function everybodyHears(others, controller, word) {
    await others.xsn.expect(controller, word, '1');
    await others.far.expect(controller, word, '1');
    await others.text.expect(`${controller}|${word}|1`);
    await others.mcu.expect(`${controller}|${word}|1`);
    await others.json.expect(controller.toUpperCase(), word, '1');
    if (controller !== 'chat' || word === 'say') {
        await others.native.expectText('1');
        await others.demo.expect(word, '1');
    }
}

for (const controller of ['generic', 'chat', 'demo']) {
    const sections = { 'subprotocol native': { controller, topic: 'say' }, 'subprotocol demo': { controller } };

    story(`over xsocketsnet no reserved topic passes ${controller}`, async (s) => {
        await start(s, sections);
        const others = await everybodyElse(s, controller);
        const client = await xsocketsnet(s, { open: controller });
        const before = (await s.daemon.stats()).total.reserved_topics;
        for (const topic of REFUSED) {
            client.text(JSON.stringify({ C: controller, T: topic, D: '{"CI":"x","PI":"x","C":"x"}' }));
            await client.expectError(controller).catch((error) => { throw Object.assign(error, { message: `${JSON.stringify(topic)}: ${error.message}` }); });
        }
        assert.ok((await s.daemon.stats()).total.reserved_topics - before >= REFUSED.length - 5);
        for (const [topic, D] of PRIVATE) client.text(JSON.stringify({ C: controller, T: topic, D }));
        client.text('{"C":"","T":"7"}');
        for (let word; (word = await client.nextText()) !== '{"C":"","T":"8","D":"null"}';) assert.match(word, /"T":"([4]|8|s2:a|__quiet)"/);
        const say = (word) => client.invoke(controller, word, 1);
        await hearNothingBut(others, controller, 'afterwards', say);
        // Binary messages too.
        for (const topic of ['2', '0', '__foo', 's1:x', 'a/#']) {
            const header = Buffer.from(JSON.stringify({ C: controller, T: topic }));
            const length = Buffer.alloc(8);
            length.writeUInt32LE(header.length);
            client.binary(Buffer.concat([length, header, Buffer.from('x')]));
        }
        await hearNothingBut(others, controller, 'later', say);
    });

    for (const join of [text, mcu, photon, len16]) {
        story(`over ${join.name} no reserved topic passes ${controller}`, async (s) => {
            await start(s, sections);
            const others = await everybodyElse(s, controller);
            const line = await join(s, { open: controller });
            for (const topic of REFUSED) {
                line.line(`${controller}|${topic}|{"CI":"x"}`);
                await line.expectError(controller).catch((error) => { throw Object.assign(error, { message: `${JSON.stringify(topic)}: ${error.message}` }); });
            }
            for (const [topic, D] of PRIVATE) line.line(`${controller}|${topic}|${D}`);
            await hearNothingBut(others, controller, 'afterwards', (word) => line.line(`${controller}|${word}|1`));
        });
    }

    story(`over json no reserved topic passes ${controller}`, async (s) => {
        await start(s, sections);
        const others = await everybodyElse(s, controller);
        const name = controller[0].toUpperCase() + controller.slice(1);
        const node = await json(s, { open: name });
        for (const topic of REFUSED) {
            node.line(JSON.stringify({ T: topic, D: '{"CI":"x","PI":"x","C":"x"}', C: name }));
            await node.expectError(name).catch((error) => { throw Object.assign(error, { message: `${JSON.stringify(topic)}: ${error.message}` }); });
        }
        for (const [topic, D] of PRIVATE) node.line(JSON.stringify({ T: topic, D, C: name }));
        await hearNothingBut(others, controller, 'afterwards', (word) => node.invoke(name, word, 1));
    });

    story(`over demo no reserved topic passes ${controller}`, async (s) => {
        await start(s, sections);
        const others = await everybodyElse(s, controller);
        const own = await demo(s, { controller });
        for (const topic of REFUSED) {
            own.invoke(topic, '{"CI":"x"}');
            const { M, J } = JSON.parse(await own.nextText());
            assert.equal(M, '4', topic);
            assert.equal(JSON.parse(J).ClassName, 'System.Exception');
        }
        for (const [topic, D] of PRIVATE) own.invoke(topic, D);
        await hearNothingBut(others, controller, 'afterwards', (word) => own.invoke(word, '1'));
    });
}

story('a native client is given no topic of its own, and a reserved one in the configuration is refused', async (s) => {
    await start(s);
    const plain = await native(s);
    const other = await xsocketsnet(s, { open: 'generic' });
    plain.text('{"C":"generic","T":"2","D":"x"}');
    await other.expect('generic', 'say', '{\\"C\\":\\"generic\\",\\"T\\":\\"2\\",\\"D\\":\\"x\\"}');
});

story('a close that somebody says is a close of his own', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'generic', place: 0 });
    const other = await xsocketsnet(s, { open: 'generic', place: 1 });
    client.text('{"C":"generic","T":"3","D":"{\\"CI\\":\\"x\\"}"}');
    assert.match(await client.nextText(), /^\{"C":"generic","T":"3","D":"\{\\"CI\\":\\"[0-9a-f-]{36}\\"/);
    client.invoke('generic', 'say', 1);
    await client.opened('generic');
    await client.expect('generic', 'say', '1');
    await other.expect('generic', 'say', '1');
});
