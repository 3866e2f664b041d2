import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainJson, plainText } from '../../../cli/plain-text.ts';
import { fieldLines, tableLines } from '../../../cli/table.ts';

/** What a terminal may act on instead of showing it. */
const control = /[[\p{Cc}\p{Cf}\u2028\u2029]--[\n]]/v;
const anyText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
    fc.constantFrom('\u001b', '\u009b', '\r', '\n', '\u202e', '\ud800'),
  ),
});

describe('P3 nothing that others wrote moves the cursor, colours or turns what an operator reads', () => {
  it('in a line, whatever the text', () => {
    fc.assert(fc.property(anyText, (text) => !/\p{C}|[\u2028\u2029]/u.test(plainText(text).replaceAll('\ufffd', ''))));
  });

  it('in a table and in fields, and none begins a line of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText), { minLength: 1 }), (rows) => {
        const lines = tableLines(['A', 'B'], rows);
        return lines.length === rows.length + 1 && lines.every((line) => !line.includes('\n') && !control.test(line));
      }),
    );
    expect(fieldLines({ name: 'x\u001b[2J\nstatus  active' })).toEqual(['name  x\ufffd[2J\ufffdstatus  active']);
  });

  it('in JSON, which says the same all the same', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = plainJson({ text });
        expect(control.test(json)).toBe(false);
        expect(JSON.parse(json)).toEqual({ text });
      }),
    );
  });
});

describe('P3 tables', () => {
  it('line up, never cut an ID, and show what is not there as a dash', () => {
    expect(
      tableLines(
        ['TENANT', 'STATUS'],
        [
          ['acme', undefined],
          ['a-much-longer-tenant', 'active'],
        ],
      ),
    ).toEqual(['TENANT                STATUS', 'acme                  -', 'a-much-longer-tenant  active']);
  });

  it('say so when there is nothing', () => {
    expect(tableLines(['TENANT'], [])).toEqual(['Nothing.']);
  });

  it('leave out fields without a value', () => {
    expect(fieldLines({ tenant: 'acme', key: undefined, users: 0 })).toEqual(['tenant  acme', 'users   0']);
  });
});
