// Runs JavaScript programs that nobody trusts, one after the other; itself runs in a sandbox. Like Harness.java, it reads
// programs.json and appends a line for each to results.jsonl. A program's own context keeps honest programs apart; it
// is no wall, the sandbox is.
'use strict';
const fs = require('fs');
const vm = require('vm');

const MOST_PRINTED = 1 << 16, DEEPEST = 50, LARGEST = 100000;
const SPECIAL = { nan: NaN, inf: Infinity, '-inf': -Infinity };

class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

// JSON with exact integers: those beyond 2**53 are BigInt.
function parse(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g,
    (found) => found[0] === '"' || Number.isSafeInteger(Number(found)) ? found : `{"$big":"${found}"}`);
  return JSON.parse(marked);
}

function tagOf(value) {
  const names = Object.keys(value);
  return names.length === 1 && names[0][0] === '$' ? names[0] : '';
}

// Values are made inside the program's context, so that `instanceof Array` and the like hold there.
function read(value, inside) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return inside.list(value.map((each) => read(each, inside)));
  const tag = tagOf(value), inner = value[tag];
  switch (tag) {
    case '$big': return BigInt(inner);
    case '$float': return SPECIAL[inner];
    case '$set': case '$orderedset': return inside.set(inner.map((each) => read(each, inside)));
    case '$map': return inside.map(inner.map((pair) => pair.map((each) => read(each, inside))));
    case '$float32': case '$char': case '$number': case '$enum': case '$varargs': return read(inner, inside);
    default: return inside.object(Object.entries(value).map(([name, each]) => [name, read(each, inside)]));
  }
}

class Writer {
  constructor() { this.room = LARGEST; }

  number(value) {
    if (Number.isNaN(value) || !Number.isFinite(value)) {
      return `{"$number":{"$float":"${Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'}"}}`;
    }
    if (Object.is(value, -0)) return '{"$number":-0.0}';
    return `{"$number":${Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value) : value}}`;
  }

  all(values, depth) { return '[' + values.map((each) => this.write(each, depth + 1)).join(',') + ']'; }

  write(value, depth = 0) {
    if (depth > DEEPEST || --this.room < 0) throw new Refused('output', 'a value that is too deep or too large');
    if (value === null || value === undefined) return 'null';
    switch (typeof value) {
      case 'boolean': return String(value);
      case 'number': return this.number(value);
      case 'bigint': return String(value);
      case 'string':
        this.room -= value.length / 10;
        return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
      case 'function': case 'symbol': return '{"$object":["Function",null]}';
    }
    const kind = Object.prototype.toString.call(value);
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return this.all(Array.from(value), depth);
    if (kind === '[object Map]') return `{"$map":[${[...value].map((pair) => this.all(pair, depth)).join(',')}]}`;
    if (kind === '[object Set]') return `{"$set":${this.all([...value], depth)}}`;
    const name = (value.constructor && value.constructor.name) || 'Object';
    const pairs = Object.entries(value).map((pair) => this.all(pair, depth));
    return name === 'Object' ? `{"$map":[${pairs.join(',')}]}` : `{"$record":[${JSON.stringify(name)},[${pairs.join(',')}]]}`;
  }
}

const PRELUDE = `
  var module = { exports: {} }, exports = module.exports;
  var __inside = {
    list: (items) => Array.from(items), set: (items) => new Set(items), map: (pairs) => new Map(pairs),
    object: (pairs) => Object.fromEntries(pairs),
  };`;

class Run {
  constructor(program) {
    this.program = program;
    this.deadline = 0;
    this.printed = '';
    const say = (...words) => {
      if (this.printed.length > MOST_PRINTED) throw new Refused('output', `it prints more than ${MOST_PRINTED} characters`);
      this.printed += words.map((each) => (typeof each === 'string' ? each : require('util').inspect(each))).join(' ') + '\n';
    };
    this.context = vm.createContext({ console: { log: say, info: say, error() {}, warn() {}, debug() {} }, structuredClone });
    vm.runInContext(PRELUDE, this.context);
    this.inside = vm.runInContext('__inside', this.context);
  }

  evaluate(text) {
    const left = Math.ceil(this.deadline - Date.now());
    if (left <= 0) throw new Refused('timeout', 'too long');
    try {
      return vm.runInContext(text, this.context, { timeout: left, filename: 'program.js' });
    } catch (error) {
      if (error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new Refused('timeout', `longer than ${this.program.seconds} s in all`);
      throw error;
    }
  }

  load() {
    const text = this.program.source.replace(/^(\s*)export\s+(default\s+)?/gm, '$1');
    try { new vm.Script(text, { filename: 'program.js' }); } catch (error) { throw new Refused('compile', String(error)); }
    this.evaluate(text);
    const name = this.program.entry.split('.').pop();
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) throw new Refused('missing', `no name: ${name}`);
    const found = `(typeof ${name} === 'function' ? ${name} : module.exports.${name})`;
    if (this.evaluate(`typeof ${found}`) !== 'function') throw new Refused('missing', `there is no function or class ${name}`);
    this.found = found;
  }

  call(input) {
    if (Array.isArray(input)) return this.result(this.found, 'undefined', input, input);
    const made = this.result(this.found, 'new', input.new, null);
    if (made.includes('"raises"')) return made;
    const steps = input.calls.map(([method, ...given]) => this.result(`__made[${JSON.stringify(method)}]`, '__made', given, null));
    return `{"calls":[${steps.join(',')}]}`;
  }

  // One call as JSON: what it returned or threw, its arguments where they changed, what it printed.
  result(found, on, given, telling) {
    const values = given.map((each) => read(each, this.inside));
    const before = new Writer().all(values, 0);
    this.printed = '';
    this.context.__given = this.inside.list(values);
    const parts = [];
    try {
      const text = on === 'new' ? `__made = new (${found})(...__given); undefined`
        : on === '__made' ? `typeof ${found} === 'function' ? ${found}(...__given) : ${found}` : `${found}(...__given)`;
      parts.push(`"returns":${new Writer().write(this.evaluate(text))}`);
    } catch (error) {
      if (error instanceof Refused) throw error;
      const name = String((error && error.name) || 'Error');
      const own = String((error && error.constructor && error.constructor.name) || name);
      parts.push(`"raises":${JSON.stringify(name === 'Error' ? own : name)}`, '"bases":["Error"]');
    }
    const after = new Writer().all(values, 0);
    if (telling && after !== before) parts.push(`"args":${after}`);
    if (this.printed) parts.push(`"stdout":${new Writer().write(this.printed)}`);
    return `{${parts.join(',')}}`;
  }
}

function outcome(program, index) {
  const results = [];
  let status = 'ok', message = '';
  try {
    const run = new Run(program);
    run.deadline = Date.now() + 1000 * program.seconds;
    run.load();
    for (const input of program.inputs) results.push(run.call(input));
  } catch (error) {
    status = error instanceof Refused ? error.status : 'crash';
    message = String((error && error.message) || error).slice(0, 300);
  }
  const writer = new Writer();
  const inputs = JSON.stringify(program.inputs.slice(0, results.length)).replace(/\{"\$big":"(-?\d+)"\}/g, '$1');
  return `{"index":${index},"status":"${status}","message":${writer.write(message)},"inputs":${inputs},"expected":[${results.join(',')}]}`;
}

const programs = parse(fs.readFileSync('programs.json', 'utf8'));
fs.appendFileSync('results.jsonl', ''); // it is there: the harness has started
programs.forEach((program, index) => fs.appendFileSync('results.jsonl', outcome(program, index) + '\n'));
process.exit(0);
