// story - one test over real sockets: who takes part, one deadline for all of it, and what had come when it failed.
import { test } from 'node:test';

const seconds = Number(process.env.XS_STORY_SECONDS ?? 30);

// Who takes part (clients, daemons) offers transcript() and end(failed).
class Story {
    constructor(t, daemon) {
        this.t = t;
        this.members = [];
        this.daemon = daemon; // the one that clients go to when nothing else is said
    }

    join(member) {
        this.members.push(member);
        return member;
    }

    transcript() {
        return this.members.map((member) => member.transcript()).join('\n');
    }

    // Ends everybody, the last first: clients before the daemon that serves them.
    async end(failed) {
        let first;
        for (const member of this.members.reverse()) {
            try {
                await member.end(failed);
            } catch (error) {
                first ??= error;
            }
        }
        if (first && !failed) throw first;
    }

    // A part of a story: clients and a deadline of its own, the same daemon.
    part(name, run) {
        return this.t.test(name, (t) => tell(t, new Story(t, this.daemon), run, seconds));
    }
}

async function tell(t, story, run, limit) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`still waiting after ${limit} s`)), limit * 1000);
    });
    let failed = true;
    try {
        await Promise.race([run(story), late]);
        failed = false;
    } catch (error) {
        error.message += `\n--- what had come ---\n${story.transcript()}`;
        throw error;
    } finally {
        clearTimeout(timer);
        await story.end(failed);
    }
}

// story('a sentence', async (s) => { ... }) or with { seconds } between.
export function story(name, options, run) {
    if (typeof options === 'function') [run, options] = [options, {}];
    const limit = Math.max(options.seconds ?? 0, seconds);
    return test(name, { timeout: (limit + 60) * 1000 }, (t) =>
        tell(t, new Story(t), run, limit));
}

// Bytes for people: what can be printed as it is, the rest as \xNN.
export function show(bytes, limit = 300) {
    const text = Buffer.from(bytes).subarray(0, limit).toString('latin1')
        .replace(/[^\x20-\x7e]/g, (c) => c === '\n' ? '\\n' : c === '\r' ? '\\r'
            : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
    return bytes.length > limit ? `${text}... (${bytes.length} bytes)` : text;
}
