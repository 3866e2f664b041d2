import { beforeEach, describe, expect, it } from 'vitest';
import { aCredential, admin, ann } from '../support/connections-world.ts';
import { visits } from './visits.ts';

const secretKey = 'sk-proj-THIS-IS-THE-PLAINTEXT-0123456789';
const visit = visits();

describe('B4 a key, encrypted in the browser', () => {
  beforeEach(() => {
    visit.data().credentials = [
      aCredential('openai-main', { status: 'awaiting' }),
      aCredential('of-ann', { userId: ann }),
      aCredential('minted', { source: 'platform-issued' }),
    ];
  });

  async function enter(text: string): Promise<void> {
    await visit.page.getByLabel('For which credential').selectOption('openai-main');
    await visit.page.getByLabel('API key').fill(text);
    await visit.page.getByRole('button', { name: 'Encrypt and send' }).click();
  }

  it('leaves the browser as a ciphertext only, sealed for this tenant, credential and nonce', async () => {
    await visit.open(admin);
    await enter(secretKey);
    await visit.page.getByText('was tried, works, and is stored').waitFor();
    expect(visit.site.supplied).toEqual([
      {
        credentialId: 'openai-main',
        content: { tenantId: 'acme', credentialId: 'openai-main', nonce: 'n'.repeat(32), secret: { apiKey: secretKey } },
      },
    ]);
    const everything = await visit.sent();
    for (const form of formsOf(secretKey)) expect(everything).not.toContain(form);
    expect(everything).toContain('"jwe"');
  });

  it('is gone from the page once it was sent, whatever came of it', async () => {
    visit.site.refusals.push({ status: 422, code: 'KEY_REFUSED', message: 'openai does not accept the key: nothing was stored' });
    await visit.open(admin);
    await enter(secretKey);
    await visit.page.getByRole('alert').getByText('Openai does not accept the key').waitFor();
    expect(await visit.page.getByLabel('API key').inputValue()).toBe('');
    expect(
      await visit.page.evaluate('[...document.querySelectorAll("*")].map((one) => `${one.outerHTML}${one.value ?? ""}`).join("")'),
    ).not.toContain(secretKey);
    expect(visit.site.supplied).toEqual([]);
  });

  it('is sent again, the same ciphertext, when the provider was down', async () => {
    visit.site.refusals.push({ status: 503, code: 'PROVIDER_UNAVAILABLE', message: 'not now' });
    await visit.open(admin);
    await enter(secretKey);
    await visit.page.getByText('was tried, works, and is stored').waitFor();
    const bodies = visit.requests.filter((request) => request.url().endsWith('/secret')).map((request) => request.postData());
    expect(bodies).toHaveLength(2);
    expect(new Set(bodies).size).toBe(1);
  });

  it('may be a connection string where the credential is a database', async () => {
    const text = 'postgres://reader:THE-PLAINTEXT@db.example:5432/orders';
    visit.data().credentials = [aCredential('orders-db', { provider: 'postgres', status: 'awaiting' })];
    await visit.open(admin);
    await visit.page.getByLabel('Connection string').fill(text);
    await visit.page.getByRole('button', { name: 'Encrypt and send' }).click();
    await visit.page.getByText('The connection string for orders-db was tried, works, and is stored').waitFor();
    expect(visit.site.supplied).toMatchObject([{ credentialId: 'orders-db', content: { secret: { connectionString: text } } }]);
    expect(await visit.sent()).not.toContain('THE-PLAINTEXT');
  });

  it('typed for one credential is not sent for another', async () => {
    await visit.open(admin);
    await visit.page.getByLabel('For which credential').selectOption('openai-main');
    await visit.page.getByLabel('API key').fill(secretKey);
    await visit.page.getByLabel('For which credential').selectOption('of-ann');
    expect(await visit.page.getByLabel('API key').inputValue()).toBe('');
  });

  it('that cannot be one is not sent, nor repeated in the message', async () => {
    await visit.open(admin);
    await enter('sk two words');
    expect(await visit.textOf('secret-error')).toContain('A key has no spaces');
    expect(visit.requests.filter((request) => request.url().includes('credentials'))).toEqual([]);
    expect(await visit.page.locator('body').innerText()).not.toContain('two words');
  });

  it('is asked for where one is taken, and for nothing else', async () => {
    await visit.open(admin);
    await visit.page.getByLabel('API key').waitFor();
    expect(await visit.page.evaluate('[...document.querySelectorAll("#credential option")].map(({ value }) => value)')).toEqual([
      'openai-main',
      'of-ann',
    ]);
  });
});

/** As it is, and as it would stand in an address or in base64. */
function formsOf(text: string): string[] {
  return [
    text,
    encodeURIComponent(text),
    Buffer.from(text).toString('base64').replace(/=+$/, ''),
    Buffer.from(text).toString('hex'),
    text.slice(8, 28),
  ];
}
