// machine - what is measured on, who gets which core, and whether anybody else was busy meanwhile.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';

const first = (file, pattern) => {
    try {
        return pattern.exec(fs.readFileSync(file, 'utf8'))?.[1] ?? null;
    } catch {
        return null;
    }
};

export function describeMachine() {
    return {
        cpu: (first('/proc/cpuinfo', /^model name\s*:\s*(.*)$/m) ?? os.arch()).replace(/\s+/g, ' '),
        cores: os.availableParallelism(),
        memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
        kernel: `${os.type()} ${os.release()}`,
        system: first('/etc/os-release', /^PRETTY_NAME="?(.*?)"?$/m) ?? os.type(),
    };
}

// What stands in front of a command that gets core 0 (the server) or 1 (the client); nothing where nothing can be pinned.
export function pins() {
    const can = (core) => spawnSync('taskset', ['-c', String(core), 'true']).status === 0;
    if (os.availableParallelism() < 2 || !can(0) || !can(1)) return { server: [], client: [] };
    return { server: ['taskset', '-c', '0'], client: ['taskset', '-c', '1'] };
}

// Ticks of the whole machine since it started: all, and those that somebody worked. Those in interrupts, on loopback mostly
// ours, are within the time of the process that was interrupted, unless the kernel keeps their time apart. Stolen
// ones were taken by another guest of the host.
export function parseMachineTicks(stat, apart) {
    const [user, nice, system, idle, wait, irq, softirq, steal] = /^cpu +(.*)$/m.exec(stat)[1].split(' ').map(Number);
    const interrupts = irq + softirq;
    return { worked: user + nice + system + steal + (apart ? 0 : interrupts), all: user + nice + system + idle + wait + interrupts + steal };
}

// This file is there only with CONFIG_IRQ_TIME_ACCOUNTING.
const interruptsApart = fs.existsSync('/proc/pressure/irq');

// Ticks of a process with all its threads: its own, and those of its children that have ended.
export function parseProcessTicks(stat) {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
    return { own: fields[11] + fields[12], children: fields[13] + fields[14] };
}

function processTicks(pid) {
    try {
        return parseProcessTicks(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
        return { own: 0, children: 0 };
    }
}

// To be called at both ends of a run, while the server lives and the client does not.
export function readTicks(serverPid) {
    const self = processTicks('self');
    return {
        ...parseMachineTicks(fs.readFileSync('/proc/stat', 'latin1'), interruptsApart),
        ours: self.own + self.children + processTicks(serverPid).own,
    };
}

// The share of all cores' time that others used between two readings. The kernel counts the machine's time in ticks and a
// process's exactly, so two ticks of difference mean nothing.
export function othersBetween(before, after) {
    const others = after.worked - before.worked - (after.ours - before.ours) - 2;
    return Math.max(0, others) / Math.max(1, after.all - before.all);
}
