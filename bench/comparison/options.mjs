// options - the command line of bench/compare.

export const help = `bench/compare - xsocketsd beside the yardstick bench/limit and four other servers

  bench/compare [options]

Every round each server gets its turn for each figure, freshly started, pinned to core 0 with the load
generator xsockets-bench on core 1. What counts is the share of the limit, round by round. The others are
libwebsockets, nats-server, redis and the node package ws; one that is not installed is left out and named.
A run during which other processes were busy is repeated.

  --rounds N        turns of each figure (5)
  --seconds N       measured time of each turn (1)
  --only WORD       figures whose name holds the word, such as echo, fan-out, idle
  --servers LIST    these alone, such as limit,xsocketsd
  --growth          the plots of how cost grows, instead of the table
  --write           measure both and write docs/PERFORMANCE.md and docs/performance/*.svg;
                    with --growth the plots of growth alone; nothing if we lost a message
  --json FILE       keep every single result, one JSON object a line (--write: build/compare.json)
  --from FILE       measure nothing, take the results of an earlier --json
  --others PERCENT  how busy others may be, of all cores together (3)
  --repeats N       how often a run that was disturbed is repeated (4)
  --minutes N       nothing is repeated any more when the whole would take longer (12)
  --build DIR       where xsocketsd and bench/ were built (build/release)
  --help            this

Exit code: 0; 1 when a server lost, doubled or changed a message, or ended; 64 for a bad command line; 69 when
what is to be measured has not been built.`;

const kinds = {
    number: (min, max) => (text) => (/^\d+(\.\d+)?$/.test(text) && +text >= min && +text <= max ? +text : undefined),
    whole: (min, max) => (text) => (/^\d+$/.test(text) && +text >= min && +text <= max ? +text : undefined),
    text: () => (text) => (text === '' ? undefined : text),
    list: () => (text) => text.split(',').filter(Boolean),
};

const table = {
    rounds: [kinds.whole(1, 99), 'a number from 1 to 99'],
    seconds: [kinds.number(0.1, 60), 'a number from 0.1 to 60'],
    only: [kinds.text(), 'a word'],
    servers: [kinds.list(), 'a list of names'],
    json: [kinds.text(), 'a file'],
    from: [kinds.text(), 'a file'],
    others: [kinds.number(0, 100), 'a number from 0 to 100'],
    repeats: [kinds.whole(0, 99), 'a number from 0 to 99'],
    minutes: [kinds.whole(0, 600), 'a number from 0 to 600'],
    build: [kinds.text(), 'a folder'],
};
const switches = ['growth', 'write', 'help'];

// The options, or { wrong: a sentence }.
export function readOptions(words, knownServers) {
    const options = { rounds: 5, seconds: 1, only: '', servers: null, json: null, from: null, others: 3, repeats: 4, minutes: 12, build: 'build/release' };
    for (const name of switches) options[name] = false;
    for (let i = 0; i < words.length; i++) {
        const [, name, , given] = /^--([a-z]+)(=(.*))?$/s.exec(words[i]) ?? [];
        if (switches.includes(name) && given === undefined) options[name] = true;
        else if (table[name]) {
            const [read, wanted] = table[name];
            const text = given ?? words[++i];
            const value = text === undefined ? undefined : read(text);
            if (value === undefined) return { wrong: `--${name} wants ${wanted}${text === undefined ? '' : `, not "${text}"`}` };
            options[name] = value;
        } else return { wrong: `"${words[i]}" is not understood; see --help` };
    }
    const unknown = options.servers?.find((name) => !knownServers.includes(name));
    if (unknown !== undefined) return { wrong: `"${unknown}" is none of ${knownServers.join(', ')}` };
    if (options.write && (options.only || options.servers))
        return { wrong: '--write writes whole tables: it goes with neither --only nor --servers' };
    if (options.from && options.json) return { wrong: '--from measures nothing that --json could keep' };
    return options;
}
