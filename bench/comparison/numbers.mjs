// numbers - medians, and numbers as people read them.

export function median(values) {
    if (values.length === 0) return null;
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// { median, min, max } of what is there; null if nothing is.
export function spread(values) {
    const there = values.filter((value) => Number.isFinite(value));
    if (there.length === 0) return null;
    return { median: median(there), min: Math.min(...there), max: Math.max(...there) };
}

// Three digits that count: 7.94, 79.4, 794.
export function digits(value, count = 3) {
    if (value === 0) return '0';
    const before = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(count))))) + 1;
    return value.toFixed(Math.max(0, count - Math.max(before, 1)));
}

// 1580000 is 1.58 M.
export function short(value, count = 3) {
    for (const [size, letter] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
        if (Math.abs(Number(value.toPrecision(count))) >= size) return `${digits(value / size, count)} ${letter}`;
    }
    return digits(value, count);
}

// 12345 is 12,345.
export function whole(value) {
    return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

// 65536 is 64 KiB.
export function bytes(value) {
    for (const [size, unit] of [[1 << 20, 'MiB'], [1 << 10, 'KiB']]) {
        if (value >= size) return `${value / size} ${unit}`;
    }
    return `${value} B`;
}

// 135 is "2 min 15 s".
export function time(seconds) {
    const all = Math.round(seconds);
    return all < 60 ? `${all} s` : `${Math.floor(all / 60)} min${all % 60 ? ` ${all % 60} s` : ''}`;
}
