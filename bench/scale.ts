/** The tables of `docs/scale.md`. `node bench/scale.ts` prints them, `--write` puts them into the document. Measured anew by `node bench/flows.ts --write`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { concurrencies, type Profile, prices, profiles, quotas } from './scale-assumptions.ts';
import { type Measured, readMeasured } from './scale-measured.ts';
import { ceilings, cellCost, dedicatedTenants, environmentsAtPeak, limitsOf, peakRate, sumOf, tenantCost, usesCost } from './scale-sums.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const dollars = (value: number): string =>
  `$${new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: value < 0.1 ? 4 : 2 }).format(value)}`;
const millionTenants = 1e6;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Every table by the name that marks its place in the document. */
export function tables(measured: Measured): Readonly<Record<string, string>> {
  const { usesPerSecond, gatesPerSecond, usesPerDay } = ceilings(measured);
  const flows = Object.entries(measured.calls);
  const services = [...new Set(flows.flatMap(([, calls]) => Object.keys(calls).map((name) => name.split(' ')[0] ?? '')))].sort();
  const first = (profile: Profile, concurrency: number) => limitsOf(profile, concurrency, measured)[0];
  return {
    measured: table(
      ['calls', ...services],
      flows.map(([flow, calls]) => [
        flow,
        ...services.map((service) =>
          whole.format(Object.entries(calls).reduce((sum, [name, count]) => sum + (name.startsWith(`${service} `) ? count : 0), 0)),
        ),
      ]),
    ),
    quotas: table(
      ['quota', 'a cell', 'raised on request', 'source'],
      Object.values(quotas).map(({ value, unit, source, adjustable }) => [unit, whole.format(value), adjustable ? 'yes' : 'no', source]),
    ),
    prices: table(
      ['dollars', 'for', 'source'],
      Object.values(prices).map(({ value, unit, source }) => [fine.format(value), unit, source]),
    ),
    profiles: table(
      ['tenant', 'uses a day', 'credentials', 'uses/s at its peak', 'environments then'],
      profiles.map((one) => [
        one.name,
        whole.format(one.usesPerDay),
        String(one.credentials),
        fine.format(peakRate(one)),
        fine.format(environmentsAtPeak(one)),
      ]),
    ),
    limits: table(
      ['quota', ...profiles.map(({ name }) => name)],
      limitsOf(profiles[0] ?? fail(), 1_000, measured)
        .map(({ what }) => what)
        .sort()
        .map((what) => [
          what,
          ...profiles.map((profile) => whole.format(limitsOf(profile, 1_000, measured).find((limit) => limit.what === what)?.tenants ?? 0)),
        ]),
    ),
    cells: table(
      ['Lambda concurrency of a cell', 'tenants are', 'tenants in a cell', 'first limit', 'cells for a million tenants'],
      concurrencies.flatMap((concurrency) =>
        profiles.map((profile) => {
          const { tenants, what } = first(profile, concurrency) ?? fail();
          return [whole.format(concurrency), profile.name, whole.format(tenants), what, whole.format(Math.ceil(millionTenants / tenants))];
        }),
      ),
    ),
    dedicated: table(
      ['IAM roles of the account', 'dedicated tenants'],
      [quotas.roles.value, quotas.rolesRaised.value].map((roles) => [whole.format(roles), whole.format(dedicatedTenants(roles))]),
    ),
    ceiling: table(
      ['one tenant', 'at most', 'because of'],
      [
        ['uses a second, sustained', whole.format(usesPerSecond), quotas.partitionWrites.unit],
        ['readings of the gate a second', whole.format(gatesPerSecond), quotas.partitionReads.unit],
        ['uses a day', whole.format(usesPerDay), quotas.collectionBytes.unit],
      ],
    ),
    uses: costs('a million uses', usesCost(measured)),
    tenants: table(
      ['a tenant and month', ...profiles.map(({ name }) => name)],
      [...Object.keys(tenantCost(profiles[0] ?? fail(), measured)), 'in all'].map((part) => [
        part,
        ...profiles.map((profile) => {
          const cost = tenantCost(profile, measured);
          return dollars(part === 'in all' ? sumOf(cost) : (cost[part] ?? 0));
        }),
      ]),
    ),
    cell: costs('an empty cell and month', cellCost(measured)),
  };
}

function costs(what: string, of: Readonly<Record<string, number>>): string {
  return table([what, 'dollars'], [...Object.entries(of).map(([part, cost]) => [part, dollars(cost)]), ['in all', dollars(sumOf(of))]]);
}

function fail(): never {
  throw new Error('there is nothing to compute with');
}

/** The document with its tables as they are computed now. @throws Error for a table without a place */
export function withTables(text: string, computed: Readonly<Record<string, string>>): string {
  return Object.entries(computed).reduce((document, [name, lines]) => {
    const [begin, end] = [`<!-- computed: ${name} -->\n`, '\n<!-- end -->'];
    const from = document.indexOf(begin);
    const to = document.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`the document has no place for the table ${name}`);
    return `${document.slice(0, from + begin.length)}${lines}${document.slice(to)}`;
  }, text);
}

if (import.meta.main) {
  const computed = tables(readMeasured());
  for (const [name, lines] of Object.entries(computed)) process.stdout.write(`${name}\n${lines}\n\n`);
  if (process.argv.includes('--write')) writeFileSync('docs/scale.md', withTables(readFileSync('docs/scale.md', 'utf8'), computed));
}
