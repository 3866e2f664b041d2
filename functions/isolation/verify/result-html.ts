import { escaped, facts, notAsSigned, printableDocument, section, table } from '../../shared/printable-html.ts';
import { type Check, type IsolationTest, isolationTests } from '../check.ts';
import type { VerificationResult } from './result.ts';
import { type ResultCheck, verifyResult } from './verify-result.ts';

const titles: Readonly<Record<IsolationTest, string>> = {
  enumeration: 'Enumeration: can one tenant list or guess what others have?',
  'rate-limit-attribution': 'Rate limits: does a limit count against the tenant that caused it?',
  'usage-log-attribution': 'Usage log: does a use stand in the log of the tenant that made it, and in no other?',
  'vault-access-scope': 'Vault access: does one tenant’s session reach anything of another?',
  'rotation-independence': 'Rotation: does replacing one tenant’s key leave the others alone?',
};
const outcomeWords: Readonly<Record<Check['outcome'], string>> = { passed: 'Passed', failed: 'FAILED', 'not-verified': 'Not verified' };

/**
 * A result as a page to read and to print. It is checked first, and says so when it is not what was signed. Whoever relies on it checks the file: a page can be written by
 * anybody.
 *
 * @param text the file, as `verifyResult` takes it
 */
export function resultHtml(text: string, options: { readonly publicKey?: string | undefined } = {}): string {
  const check = verifyResult(text, options);
  const { result } = check;
  const title = `Isolation tests ${result?.verificationId ?? 'that cannot be read'}`;
  const body = [
    `<h1>${escaped(title)}</h1>`,
    check.ok ? '' : notAsSigned(check.problems),
    ...(result === undefined ? [] : [summary(result), ...isolationTests.map((test) => testSection(test, result)), limits()]),
    howToVerify(check),
  ].join('\n');
  return printableDocument(title, body);
}

function summary({ counts, tenantId, requestedBy, startedAt, finishedAt, canaries, deployment, uses }: VerificationResult): string {
  const { passed, failed, notVerified } = counts;
  const verdict =
    failed > 0
      ? `<p class="bad"><strong>${failed} of ${passed + failed + notVerified} checks FAILED.</strong> See the lists below.</p>`
      : notVerified > 0
        ? `<p class="bad"><strong>${notVerified} checks could not be made;</strong> ${passed} passed, none failed.</p>`
        : `<p class="good">All ${passed} checks passed.</p>`;
  const rows: readonly (readonly [string, string])[] = [
    ['Asked for by', `${requestedBy}, for ${tenantId}`],
    ['Begun and ended', `${startedAt} to ${finishedAt}`],
    ['Canaries', `${canaries.a} and ${canaries.b}`],
    ['Tested', `stack ${deployment.stack} in ${deployment.region}, Cordon ${deployment.version}`],
    ['In the canaries’ attribution', uses.length === 0 ? 'nothing' : uses.map(({ tenantId: of, id }) => `${of} ${id}`).join(', ')],
  ];
  return `${verdict}\n${facts(rows)}`;
}

/** What failed first, then what could not be tried. */
const order: readonly Check['outcome'][] = ['failed', 'not-verified', 'passed'];

function testSection(test: IsolationTest, { checks }: VerificationResult): string {
  const own = checks.filter((check) => check.test === test);
  const sorted = order.flatMap((outcome) => own.filter((check) => check.outcome === outcome));
  const rows = sorted.map(({ id, service, outcome, detail }) => [outcomeWords[outcome], id.slice(test.length + 1), service, detail]);
  const isBad = own.length === 0 || own.some(({ outcome }) => outcome !== 'passed');
  const content =
    rows.length === 0 ? '<p>No check was made.</p>' : table(['Outcome', 'Check', 'Of', 'What was tried, and what came of it'], rows);
  return section(titles[test], content, isBad ? 'bad' : undefined);
}

function limits(): string {
  const said = [
    'It was tried with two synthetic tenants, at the time named above. What a tenant’s own code does with its own access was not.',
    'On the tenant that asked, only names were tried that lead to nothing, and every answer has to be a refusal.',
    'What is not verified could not be tried, and shows nothing.',
  ];
  return section('What this cannot say', `<ul>${said.map((one) => `<li>${escaped(one)}</li>`).join('')}</ul>`);
}

function howToVerify({ ok, key }: ResultCheck): string {
  const checked =
    key === undefined
      ? ''
      : `<p>When this page was made, the file was ${ok ? 'as it was signed' : '<strong>not as it was signed</strong>'}, by the key ${
          key.source === 'file' ? 'in the file: compare its fingerprint' : 'that was named'
        }.</p>${facts([
          ['Key', key.keyArn],
          ['SHA-256 of the public key', key.sha256],
        ])}`;
  const how =
    '<p>Anybody can check the file, without Cordon and without AWS: <code>npm run cordon -- isolation check FILE --public-key KEY.pem</code>. The result is signed by ECDSA on P-256 over SHA-256.</p>';
  return section('How to verify', `${checked}${how}`);
}
