import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyVerificationMessage } from '../../../functions/isolation/verify/apply-verification-message.ts';
import { resultHtml } from '../../../functions/isolation/verify/result-html.ts';
import { fileIn } from '../../../functions/isolation/verify/verification.ts';
import { verifyResult } from '../../../functions/isolation/verify/verify-result.ts';
import { publicKeyIn } from '../../../functions/revocation/certificate/public-key.ts';
import { acme, createIsolationWorld } from '../../contracts/fakes/isolation-world.ts';
import { platformEvent } from '../../contracts/fakes/platform-events.ts';

let text: string;
let publicKey: string;
let spoiledText: string;
beforeAll(async () => {
  const fileOf = async (spoil: (world: ReturnType<typeof createIsolationWorld>) => void) => {
    const world = createIsolationWorld();
    spoil(world);
    const body = platformEvent('IsolationVerificationRequested', { version: 1, tenantId: acme, requestedBy: '<b>Ann</b>' });
    await applyVerificationMessage(world.deps, { body, receiptHandle: 'r', receiveCount: 1 }, world.deps.clock() + 300_000);
    const [run] = [...world.runs.values()];
    return { file: JSON.stringify(run && fileIn(run)), key: world.publicKey };
  };
  ({ file: text, key: publicKey } = await fileOf(() => undefined));
  ({ file: spoiledText } = await fileOf(({ spoiled }) => {
    spoiled.sharedAccount = true;
    spoiled.noLimitHeaders = true;
  }));
});

describe('T1 a result is signed, and anybody can check it with nothing but its file', () => {
  it('is good by the key in the file, and by a key that is named', () => {
    expect(verifyResult(text)).toMatchObject({ ok: true, problems: [], key: { source: 'file' } });
    expect(verifyResult(text, { publicKey })).toMatchObject({ ok: true, key: { source: 'pinned' } });
  });

  it('is not good by another key', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(verifyResult(text, { publicKey: other })).toMatchObject({ ok: false });
    const swapped = JSON.stringify({ ...JSON.parse(text), publicKey: other });
    expect(verifyResult(swapped).ok).toBe(false);
    expect(verifyResult(text, { publicKey: 'no key' }).ok).toBe(false);
  });

  it('is not good when any character of it was changed', () => {
    const file: Record<string, string> = JSON.parse(text);
    const members = ['format', 'result', 'signature', 'algorithm', 'keyArn', 'publicKey'];
    fc.assert(
      fc.property(fc.constantFrom(...members), fc.nat(), fc.constantFrom('x', '0', '"', ' '), (member, at, letter) => {
        const before = file[member] ?? '';
        const index = at % before.length;
        const after = `${before.slice(0, index)}${letter}${before.slice(index + 1)}`;
        fc.pre(after !== before && after.trim() !== before.trim());
        // A public key in another spelling is the same key.
        fc.pre(member !== 'publicKey' || !isSameKey(before, after));
        expect(verifyResult(JSON.stringify({ ...file, [member]: after })).ok).toBe(false);
      }),
    );
  });

  it.each(['', '{}', 'null', '[]', '{"format":"cordon-isolation-file/1"}'])('is not %s', (other) => {
    const { ok, result } = verifyResult(other);
    expect([ok, result]).toEqual([false, undefined]);
  });
});

/** Not all characters of a PEM say something: the last bits of its base64 do not. */
function isSameKey(before: string, after: string): boolean {
  const [key, other] = [publicKeyIn(before), publicKeyIn(after)];
  return key !== undefined && other?.equals(key) === true;
}

describe('T1 a result as a page', () => {
  it('says that all passed, and when not, what failed and what could not be tried before all else', () => {
    expect(resultHtml(text)).toContain('checks passed.</p>');
    const page = resultHtml(spoiledText);
    expect(page).toContain('1 of ');
    expect(page).toContain('checks FAILED.');
    expect(page.indexOf('<td>FAILED</td>')).toBeLessThan(page.indexOf('<td>Not verified</td>'));
  });

  it('shows names as text, runs nothing and loads nothing', () => {
    const page = resultHtml(text);
    expect(page).toContain('&lt;b&gt;Ann&lt;/b&gt;');
    expect(page).not.toMatch(/<script|<img|<link|https?:\/\//);
    expect(page).toContain("default-src 'none'");
  });

  it('says so when it is not what was signed', () => {
    expect(resultHtml(text.replace('passed', 'Passed'))).toContain('Do not rely on this');
    expect(resultHtml('nothing')).toContain('that cannot be read');
  });
});
