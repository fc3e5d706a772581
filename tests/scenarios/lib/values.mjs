// values - the table of the matrix: how each sender puts a value on its wire, and what exactly each receiver then gets. By hand.
//
// value(name, senders, receivers), strings taken literally (String.raw), so that what stands here stands on the wire:
//   senders.xsn    the JSON text behind "D": of xsocketsnet and json (absent: the value cannot be sent so)
//   senders.text   what stands behind the second bar of the line
//   senders.framed the same inside a frame (mcu, photon, len16), where it differs
//   senders.native the payload
//   senders.demo   the JSON text behind "J":
//   receivers.d      the inside of the string D (xsocketsnet, json) and J (demo)
//   receivers.text   behind the second bar
//   receivers.framed the same inside a frame, where it differs
//   receivers.native the payload
const r = String.raw;
export const values = [];

function value(name, senders, receivers) {
    values.push({ name, senders, receivers });
}

// ---- bare strings: text to all who write JSON, byte for byte to native ----

value('a bare word',
    { xsn: r`"hello"`, text: r`hello`, native: r`hello`, demo: r`"hello"` },
    { d: r`\"hello\"`, text: r`"hello"`, native: r`hello` });
value('a sentence with bars',
    { xsn: r`"a|b||c|"`, text: r`a|b||c|`, native: r`a|b||c|`, demo: r`"a|b||c|"` },
    { d: r`\"a|b||c|\"`, text: r`"a|b||c|"`, native: r`a|b||c|` });
value('the empty string',
    { xsn: r`""`, text: r``, native: r``, demo: r`""` },
    { d: r`\"\"`, text: r`""`, native: r`` });
value('one space',
    { xsn: r`" "`, text: r` `, native: r` `, demo: r`" "` },
    { d: r`\" \"`, text: r`" "`, native: r` ` });
value('spaces around a word',
    { xsn: r`"  hi  "`, text: r`  hi  `, native: r`  hi  `, demo: r`"  hi  "` },
    { d: r`\"  hi  \"`, text: r`"  hi  "`, native: r`  hi  ` });
value('quotes inside a text',
    { xsn: r`"say \"hi\" now"`, text: r`say "hi" now`, native: r`say "hi" now`, demo: r`"say \"hi\" now"` },
    { d: r`\"say \\\"hi\\\" now\"`, text: r`"say \"hi\" now"`, native: r`say "hi" now` });
value('one quote',
    { xsn: r`"\""`, text: r`"`, native: r`"`, demo: r`"\""` },
    { d: r`\"\\\"\"`, text: r`"\""`, native: r`"` });
value('backslashes',
    { xsn: r`"C:\\temp\\new"`, text: 'C:\\temp\\new', native: 'C:\\temp\\new', demo: r`"C:\\temp\\new"` },
    { d: r`\"C:\\\\temp\\\\new\"`, text: r`"C:\\temp\\new"`, native: 'C:\\temp\\new' });
value('one backslash',
    { xsn: r`"\\"`, text: '\\', native: '\\', demo: r`"\\"` },
    { d: r`\"\\\\\"`, text: r`"\\"`, native: '\\' });
value('a slash and a tag stay as they are',
    { xsn: r`"</script>"`, text: r`</script>`, native: r`</script>`, demo: r`"</script>"` },
    { d: r`\"</script>\"`, text: r`"</script>"`, native: r`</script>` });
value('single quotes',
    { xsn: r`"it's 'so'"`, text: r`it's 'so'`, native: r`it's 'so'`, demo: r`"it's 'so'"` },
    { d: r`\"it's 'so'\"`, text: r`"it's 'so'"`, native: r`it's 'so'` });
value('letters beyond ASCII',
    { xsn: r`"Grüße, €5, 日本"`, text: r`Grüße, €5, 日本`, native: r`Grüße, €5, 日本`, demo: r`"Grüße, €5, 日本"` },
    { d: r`\"Grüße, €5, 日本\"`, text: r`"Grüße, €5, 日本"`, native: r`Grüße, €5, 日本` });
value('an emoji and a joined one',
    { xsn: r`"😀👨‍👩‍👧"`, text: r`😀👨‍👩‍👧`, native: r`😀👨‍👩‍👧`, demo: r`"😀👨‍👩‍👧"` },
    { d: r`\"😀👨‍👩‍👧\"`, text: r`"😀👨‍👩‍👧"`, native: r`😀👨‍👩‍👧` });
value('letters beyond ASCII that were sent as escapes',
    { xsn: r`"\u00e9\u20AC\ud83d\ude00"`, demo: r`"\u00e9\u20AC\ud83d\ude00"` },
    { d: r`\"é€😀\"`, text: r`"é€😀"`, native: r`é€😀` });
value('half a surrogate pair in a text',
    { xsn: r`"a\ud800b"`, demo: r`"a\ud800b"` },
    { d: '\\"a\ufffdb\\"', text: '"a\ufffdb"', native: 'a\ufffdb' });
value('the last and the strangest code points',
    { xsn: '"\u{10ffff}\uffff\ufdd0"', text: '\u{10ffff}\uffff\ufdd0', native: '\u{10ffff}\uffff\ufdd0', demo: '"\u{10ffff}\uffff\ufdd0"' },
    { d: '\\"\u{10ffff}\uffff\ufdd0\\"', text: '"\u{10ffff}\uffff\ufdd0"', native: '\u{10ffff}\uffff\ufdd0' });
value('line and paragraph separator, no-break space and DEL',
    { xsn: '"a\u2028b\u2029c\u00a0d\x7fe"', text: 'a\u2028b\u2029c\u00a0d\x7fe', native: 'a\u2028b\u2029c\u00a0d\x7fe', demo: '"a\u2028b\u2029c\u00a0d\x7fe"' },
    { d: '\\"a\u2028b\u2029c\u00a0d\x7fe\\"', text: '"a\u2028b\u2029c\u00a0d\x7fe"', native: 'a\u2028b\u2029c\u00a0d\x7fe' });
value('a tab in a text',
    { xsn: r`"a\tb"`, text: 'a\tb', native: 'a\tb', demo: r`"a\tb"` },
    { d: r`\"a\\tb\"`, text: r`"a\tb"`, native: 'a\tb' });
value('a line feed in a text',
    { xsn: r`"a\nb"`, framed: 'a\nb', native: 'a\nb', demo: r`"a\nb"` },
    { d: r`\"a\\nb\"`, text: r`"a\nb"`, native: 'a\nb' });
value('line ends at the edges of a text',
    { xsn: r`"\r\na\r\n"`, framed: '\r\na\r\n', native: '\r\na\r\n', demo: r`"\r\na\r\n"` },
    { d: r`\"\\r\\na\\r\\n\"`, text: r`"\r\na\r\n"`, native: '\r\na\r\n' });
value('control characters in a text',
    { xsn: r`"\u0001\b\f\u000b\u001b[0m\u001F"`, text: '\x01\b\f\v\x1b[0m\x1f', native: '\x01\b\f\v\x1b[0m\x1f', demo: r`"\u0001\b\f\u000b\u001b[0m\u001F"` },
    { d: r`\"\\u0001\\b\\f\\u000b\\u001b[0m\\u001f\"`, text: r`"\u0001\b\f\u000b\u001b[0m\u001f"`, native: '\x01\b\f\v\x1b[0m\x1f' });
value('U+0000 in a text',
    { xsn: r`"a\u0000b"`, framed: 'a\0b', native: 'a\0b', demo: r`"a\u0000b"` },
    { d: r`\"a\\u0000b\"`, text: r`"a\u0000b"`, native: 'a\0b' });
value('a long text of many bytes',
    { xsn: `"${'long '.repeat(14000)}end"`, text: `${'long '.repeat(14000)}end`, native: `${'long '.repeat(14000)}end`, demo: `"${'long '.repeat(14000)}end"` },
    { d: `\\"${'long '.repeat(14000)}end\\"`, text: `"${'long '.repeat(14000)}end"`, native: `${'long '.repeat(14000)}end` });

// ---- strings that look like JSON and are not: text as well ----

value('lenient JSON',
    { xsn: r`"{s:'bar',i:42}"`, text: r`{s:'bar',i:42}`, native: r`{s:'bar',i:42}`, demo: r`"{s:'bar',i:42}"` },
    { d: r`\"{s:'bar',i:42}\"`, text: r`"{s:'bar',i:42}"`, native: r`{s:'bar',i:42}` });
value('an object in single quotes',
    { xsn: r`"{'a':1}"`, text: r`{'a':1}`, native: r`{'a':1}`, demo: r`"{'a':1}"` },
    { d: r`\"{'a':1}\"`, text: r`"{'a':1}"`, native: r`{'a':1}` });
value('an object cut short',
    { xsn: r`"{\"a\":1"`, text: r`{"a":1`, native: r`{"a":1`, demo: r`"{\"a\":1"` },
    { d: r`\"{\\\"a\\\":1\"`, text: r`"{\"a\":1"`, native: r`{"a":1` });
value('an object with a brace too many',
    { xsn: r`"{\"a\":1}}"`, text: r`{"a":1}}`, native: r`{"a":1}}`, demo: r`"{\"a\":1}}"` },
    { d: r`\"{\\\"a\\\":1}}\"`, text: r`"{\"a\":1}}"`, native: r`{"a":1}}` });
value('an array with a comma too many',
    { xsn: r`"[1,]"`, text: r`[1,]`, native: r`[1,]`, demo: r`"[1,]"` },
    { d: r`\"[1,]\"`, text: r`"[1,]"`, native: r`[1,]` });
value('a number with a leading zero',
    { xsn: r`"01"`, text: r`01`, native: r`01`, demo: r`"01"` },
    { d: r`\"01\"`, text: r`"01"`, native: r`01` });
value('a number without digits behind the point',
    { xsn: r`"1."`, text: r`1.`, native: r`1.`, demo: r`"1."` },
    { d: r`\"1.\"`, text: r`"1."`, native: r`1.` });
value('a number with a plus',
    { xsn: r`"+1"`, text: r`+1`, native: r`+1`, demo: r`"+1"` },
    { d: r`\"+1\"`, text: r`"+1"`, native: r`+1` });
value('a lone minus',
    { xsn: r`"-"`, text: r`-`, native: r`-`, demo: r`"-"` },
    { d: r`\"-\"`, text: r`"-"`, native: r`-` });
value('not a number',
    { xsn: r`"NaN"`, text: r`NaN`, native: r`NaN`, demo: r`"NaN"` },
    { d: r`\"NaN\"`, text: r`"NaN"`, native: r`NaN` });
value('True with a capital',
    { xsn: r`"True"`, text: r`True`, native: r`True`, demo: r`"True"` },
    { d: r`\"True\"`, text: r`"True"`, native: r`True` });
value('null cut short',
    { xsn: r`"nul"`, text: r`nul`, native: r`nul`, demo: r`"nul"` },
    { d: r`\"nul\"`, text: r`"nul"`, native: r`nul` });
value('a string that is not closed',
    { xsn: r`"\"open"`, text: r`"open`, native: r`"open`, demo: r`"\"open"` },
    { d: r`\"\\\"open\"`, text: r`"\"open"`, native: r`"open` });
value('two values behind each other',
    { xsn: r`"{\"a\":1} 2"`, text: r`{"a":1} 2`, native: r`{"a":1} 2`, demo: r`"{\"a\":1} 2"` },
    { d: r`\"{\\\"a\\\":1} 2\"`, text: r`"{\"a\":1} 2"`, native: r`{"a":1} 2` });
value('a string with a raw tab, which JSON forbids',
    { xsn: r`"\"a\tb\""`, text: '"a\tb"', native: '"a\tb"', demo: r`"\"a\tb\""` },
    { d: r`\"\\\"a\\tb\\\"\"`, text: r`"\"a\tb\""`, native: '"a\tb"' });
value('a string with an escape that JSON does not know',
    { xsn: r`"\"\\x41\""`, text: r`"\x41"`, native: r`"\x41"`, demo: r`"\"\\x41\""` },
    { d: r`\"\\\"\\\\x41\\\"\"`, text: r`"\"\\x41\""`, native: r`"\x41"` });
value('a byte order mark before an object',
    { xsn: '"\ufeff{\\"a\\":1}"', text: '\ufeff{"a":1}', native: '\ufeff{"a":1}', demo: '"\ufeff{\\"a\\":1}"' },
    { d: '\\"\ufeff{\\\\\\"a\\\\\\":1}\\"', text: '"\ufeff{\\"a\\":1}"', native: '\ufeff{"a":1}' });
value('a no-break space before a number',
    { xsn: '"\u00a042"', text: '\u00a042', native: '\u00a042', demo: '"\u00a042"' },
    { d: '\\"\u00a042\\"', text: '"\u00a042"', native: '\u00a042' });

// ---- strict JSON: stays byte for byte ----

value('a JSON string',
    { xsn: r`"\"hello\""`, text: r`"hello"`, native: r`"hello"`, demo: r`"\"hello\""` },
    { d: r`\"hello\"`, text: r`"hello"`, native: r`"hello"` });
value('the empty JSON string',
    { xsn: r`"\"\""`, text: r`""`, native: r`""`, demo: r`"\"\""` },
    { d: r`\"\"`, text: r`""`, native: r`""` });
value('a JSON string with every escape',
    { xsn: r`"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""`, text: r`"\"\\\/\b\f\n\r\t"`, native: r`"\"\\\/\b\f\n\r\t"`, demo: r`"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""` },
    { d: r`\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"`, text: r`"\"\\\/\b\f\n\r\t"`, native: r`"\"\\\/\b\f\n\r\t"` });
value('a JSON string with \\u escapes, in both cases of letters',
    { xsn: r`"\"\\u00e9\\u00E9\\ud83d\\ude00\\u0000\""`, text: r`"\u00e9\u00E9\ud83d\ude00\u0000"`, native: r`"\u00e9\u00E9\ud83d\ude00\u0000"`, demo: r`"\"\\u00e9\\u00E9\\ud83d\\ude00\\u0000\""` },
    { d: r`\"\\u00e9\\u00E9\\ud83d\\ude00\\u0000\"`, text: r`"\u00e9\u00E9\ud83d\ude00\u0000"`, native: r`"\u00e9\u00E9\ud83d\ude00\u0000"` });
value('a JSON string with half a surrogate pair',
    { xsn: r`"\"\\ud800\""`, text: r`"\ud800"`, native: r`"\ud800"`, demo: r`"\"\\ud800\""` },
    { d: r`\"\\ud800\"`, text: r`"\ud800"`, native: r`"\ud800"` });
value('a JSON string with letters beyond ASCII',
    { xsn: r`"\"é€😀\""`, text: r`"é€😀"`, native: r`"é€😀"`, demo: r`"\"é€😀\""` },
    { d: r`\"é€😀\"`, text: r`"é€😀"`, native: r`"é€😀"` });
value('JSON in a JSON string',
    { xsn: r`"\"{\\\"a\\\":\\\"b\\\\\\\\c\\\"}\""`, text: r`"{\"a\":\"b\\\\c\"}"`, native: r`"{\"a\":\"b\\\\c\"}"`, demo: r`"\"{\\\"a\\\":\\\"b\\\\\\\\c\\\"}\""` },
    { d: r`\"{\\\"a\\\":\\\"b\\\\\\\\c\\\"}\"`, text: r`"{\"a\":\"b\\\\c\"}"`, native: r`"{\"a\":\"b\\\\c\"}"` });
value('a number',
    { xsn: r`"42"`, text: r`42`, native: r`42`, demo: r`"42"` },
    { d: r`42`, text: r`42`, native: r`42` });
value('a raw number', { xsn: r`42` }, { d: r`42`, text: r`42`, native: r`42` });
value('zero and its kin',
    { xsn: r`"-0"`, text: r`-0`, native: r`-0`, demo: r`"-0"` },
    { d: r`-0`, text: r`-0`, native: r`-0` });
value('a fraction with an exponent',
    { xsn: r`"-0.5E+10"`, text: r`-0.5E+10`, native: r`-0.5E+10`, demo: r`"-0.5E+10"` },
    { d: r`-0.5E+10`, text: r`-0.5E+10`, native: r`-0.5E+10` });
value('a raw fraction keeps its digits', { xsn: r`-12.50e-3` }, { d: r`-12.50e-3`, text: r`-12.50e-3`, native: r`-12.50e-3` });
value('a number of more digits than a double has',
    { xsn: r`"12345678901234567890123456789"`, text: r`12345678901234567890123456789`, native: r`12345678901234567890123456789`, demo: r`"12345678901234567890123456789"` },
    { d: r`12345678901234567890123456789`, text: r`12345678901234567890123456789`, native: r`12345678901234567890123456789` });
value('a raw number beyond every double', { xsn: r`1e999` }, { d: r`1e999`, text: r`1e999`, native: r`1e999` });
value('true in a string',
    { xsn: r`"true"`, text: r`true`, native: r`true`, demo: r`"true"` },
    { d: r`true`, text: r`true`, native: r`true` });
value('raw true', { xsn: r`true` }, { d: r`true`, text: r`true`, native: r`true` });
value('raw false', { xsn: r`false` }, { d: r`false`, text: r`false`, native: r`false` });
value('null in a string',
    { xsn: r`"null"`, text: r`null`, native: r`null`, demo: r`"null"` },
    { d: r`null`, text: r`null`, native: r`null` });
value('raw null', { xsn: r`null` }, { d: r`null`, text: r`null`, native: r`null` });
value('no data at all', { xsn: null }, { d: r`null`, text: r`null`, native: r`null` });
value('an empty array',
    { xsn: r`"[]"`, text: r`[]`, native: r`[]`, demo: r`"[]"` },
    { d: r`[]`, text: r`[]`, native: r`[]` });
value('a raw array', { xsn: r`[1, "a|b", null]` },
    { d: r`[1, \"a|b\", null]`, text: r`[1, "a|b", null]`, native: r`[1, "a|b", null]` });
value('an empty object',
    { xsn: r`"{}"`, text: r`{}`, native: r`{}`, demo: r`"{}"` },
    { d: r`{}`, text: r`{}`, native: r`{}` });
value('an object',
    { xsn: r`"{\"a\":1,\"b\":\"x|y\"}"`, text: r`{"a":1,"b":"x|y"}`, native: r`{"a":1,"b":"x|y"}`, demo: r`"{\"a\":1,\"b\":\"x|y\"}"` },
    { d: r`{\"a\":1,\"b\":\"x|y\"}`, text: r`{"a":1,"b":"x|y"}`, native: r`{"a":1,"b":"x|y"}` });
value('a raw object', { xsn: r`{"name":"Steve","Age":42}` },
    { d: r`{\"name\":\"Steve\",\"Age\":42}`, text: r`{"name":"Steve","Age":42}`, native: r`{"name":"Steve","Age":42}` });
value('a raw object with white space and escapes', { xsn: r`{ "a" : "x\ny\"z\"" }` },
    { d: r`{ \"a\" : \"x\\ny\\\"z\\\"\" }`, text: r`{ "a" : "x\ny\"z\"" }`, native: r`{ "a" : "x\ny\"z\"" }` });
value('an object with white space inside and around',
    { xsn: r`" { \"a\" : [ 1 , 2 ] } "`, text: r` { "a" : [ 1 , 2 ] } `, native: r` { "a" : [ 1 , 2 ] } `, demo: r`" { \"a\" : [ 1 , 2 ] } "` },
    { d: r` { \"a\" : [ 1 , 2 ] } `, text: r` { "a" : [ 1 , 2 ] } `, native: r` { "a" : [ 1 , 2 ] } ` });
value('an object over several lines',
    { xsn: r`"{\r\n\t\"a\": 1\n}"`, framed: '{\r\n\t"a": 1\n}', native: '{\r\n\t"a": 1\n}', demo: r`"{\r\n\t\"a\": 1\n}"` },
    { d: r`{\r\n\t\"a\": 1\n}`, text: '{  \t"a": 1 }', framed: '{\r\n\t"a": 1\n}', native: '{\r\n\t"a": 1\n}' });
value('a number with a line end behind',
    { xsn: r`"42\n"`, framed: '42\n', native: '42\n', demo: r`"42\n"` },
    { d: r`42\n`, text: '42 ', framed: '42\n', native: '42\n' });
value('an object with a key twice',
    { xsn: r`"{\"a\":1,\"a\":2}"`, text: r`{"a":1,"a":2}`, native: r`{"a":1,"a":2}`, demo: r`"{\"a\":1,\"a\":2}"` },
    { d: r`{\"a\":1,\"a\":2}`, text: r`{"a":1,"a":2}`, native: r`{"a":1,"a":2}` });
value('keys that are empty or full of escapes',
    { xsn: r`"{\"\":0,\"\\u0022\\n|\":1}"`, text: r`{"":0,"\u0022\n|":1}`, native: r`{"":0,"\u0022\n|":1}`, demo: r`"{\"\":0,\"\\u0022\\n|\":1}"` },
    { d: r`{\"\":0,\"\\u0022\\n|\":1}`, text: r`{"":0,"\u0022\n|":1}`, native: r`{"":0,"\u0022\n|":1}` });
value('sixty levels of arrays',
    { xsn: `"${'['.repeat(60)}${']'.repeat(60)}"`, text: '['.repeat(60) + ']'.repeat(60), native: '['.repeat(60) + ']'.repeat(60), demo: `"${'['.repeat(60)}${']'.repeat(60)}"` },
    { d: '['.repeat(60) + ']'.repeat(60), text: '['.repeat(60) + ']'.repeat(60), native: '['.repeat(60) + ']'.repeat(60) });
value('a string that looks like an envelope',
    { xsn: r`"{\"C\":\"chat\",\"T\":\"2\",\"D\":\"x\"}"`, text: r`{"C":"chat","T":"2","D":"x"}`, native: r`{"C":"chat","T":"2","D":"x"}`, demo: r`"{\"C\":\"chat\",\"T\":\"2\",\"D\":\"x\"}"` },
    { d: r`{\"C\":\"chat\",\"T\":\"2\",\"D\":\"x\"}`, text: r`{"C":"chat","T":"2","D":"x"}`, native: r`{"C":"chat","T":"2","D":"x"}` });
value('a string that looks like a line of the text protocol',
    { xsn: r`"generic|4|x"`, text: r`generic|4|x`, native: r`generic|4|x`, demo: r`"generic|4|x"` },
    { d: r`\"generic|4|x\"`, text: r`"generic|4|x"`, native: r`generic|4|x` });
value('JSON whose structure was sent as escapes', { xsn: r`"\u007b\u0022a\u0022:\"\u00e9\/\"}"` },
    { d: r`\u007b\u0022a\u0022:\"\u00e9\/\"}`, text: r`{"a":"é/"}`, native: r`{"a":"é/"}` });
value('a long JSON string',
    { xsn: `"\\"${'é|'.repeat(30000)}\\""`, text: `"${'é|'.repeat(30000)}"`, native: `"${'é|'.repeat(30000)}"`, demo: `"\\"${'é|'.repeat(30000)}\\""` },
    { d: `\\"${'é|'.repeat(30000)}\\"`, text: `"${'é|'.repeat(30000)}"`, native: `"${'é|'.repeat(30000)}"` });
// The lengths around which a WebSocket frame changes its head: a native payload of exactly so many bytes.
for (const size of [125, 126, 127, 65535, 65536]) {
    value(`a text of ${size} bytes`,
        { xsn: `"${'t'.repeat(size)}"`, text: 't'.repeat(size), native: 't'.repeat(size), demo: `"${'t'.repeat(size)}"` },
        { d: `\\"${'t'.repeat(size)}\\"`, text: `"${'t'.repeat(size)}"`, native: 't'.repeat(size) });
}

// ---- binary ----
//   senders.xsn     the JSON text behind "D": of the header, null: no D (native has no header: only values without metadata)
//   receivers.d     the inside of D in the header at an xsocketsnet client
// text, demo, mcu, photon, json and len16 receive nothing.
export const blobs = [];

function blob(name, bytes, senders, d) {
    blobs.push({ name, bytes, senders, d });
}

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
blob('no byte at all', Buffer.alloc(0), { xsn: null, native: true }, r`{}`);
blob('every byte', everyByte, { xsn: null, native: true }, r`{}`);
blob('a blob with metadata', everyByte, { xsn: r`"{\"name\":\"a.txt\"}"` }, r`{\"name\":\"a.txt\"}`);
blob('a blob with the metadata of C#, an empty string', Buffer.from('abc'), { xsn: r`"\"\""` }, r`{}`);
blob('a blob with metadata beyond ASCII', Buffer.from('abc'), { xsn: r`"{\"name\":\"é€😀.txt\"}"` }, r`{\"name\":\"\u00e9\u20ac\ud83d\ude00.txt\"}`);
blob('a blob with bare text as metadata', Buffer.from([0xff, 0x00]), { xsn: r`"é"` }, r`\"\u00e9\"`);
blob('a blob with a raw object as metadata', Buffer.from([1]), { xsn: r`{"a":1}` }, r`{\"a\":1}`);
blob('bytes that look like a text', Buffer.from('{"C":"generic"}'), { xsn: null, native: true }, r`{}`);
blob('seventy thousand bytes', Buffer.alloc(70000, 0xa5), { xsn: null, native: true }, r`{}`);
