/** The page as it is deployed: its function behind the API, the door, the worker and the sweep of the local cloud. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestsWith } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { newCustomer } from '../support/customer-account.ts';
import { askBedrock } from '../support/customer-calls.ts';
import { followLink, sweep, tenantWith, tokenOf } from '../support/customers.ts';
import { launchChromium } from './chromium.ts';

let test: TestCloud;
let browser: Browser;
let tenantId: string;
let page: Page;
const sent: string[] = [];

beforeAll(async () => {
  test = await testCloud();
  const own = { credentialId: 'openai-own', provider: 'openai', source: 'customer-supplied', environment: 'production' };
  tenantId = await tenantWith(test, {
    credentials: [own],
    routing: [{ match: { provider: 'openai', environment: 'production' }, use: 'openai-own' }],
  });
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  await page.goto(`${test.cloud.brokerUrl}/v1/byoc#token=${await tokenOf(test, tenantId)}`);
  await page.getByText(`Organisation: ${tenantId}`).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await test?.cloud.close();
});

describe('B4 the page on the whole stack', () => {
  it('hands a key over that the provider has just made, and an agent’s next call uses it', async () => {
    const apiKey = test.cloud.world.issueKey('openai');
    await page.getByLabel('API key').fill(apiKey);
    await page.getByRole('button', { name: 'Encrypt and send' }).click();
    await page.getByText('was tried, works, and is stored').waitFor();
    expect(sent.join('\n')).not.toContain(apiKey);
    const answer = await fetch(`${test.cloud.brokerUrl}/v1/proxy/openai/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(test, tenantId, 'agent')}` },
      body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }),
    });
    expect([answer.status, requestsWith(test, apiKey).length > 0]).toEqual([200, true]);
  });
});

describe('B1 B2 the page on the whole stack', () => {
  it('connects an AWS account by its link, shows when it is proven, and disconnects it', async () => {
    const customer = newCustomer(test);
    await page.getByLabel('AWS account ID').fill(customer.accountId);
    await page.getByLabel(/Amazon Bedrock/).check();
    await page.getByLabel('us-east-1', { exact: true }).check();
    await page.getByRole('button', { name: 'Get the link' }).click();
    const card = page.locator('.cards > li', { hasText: customer.accountId });
    const link = card.getByRole('link', { name: /Create the role in AWS/ });
    await link.waitFor();
    expect(await followLink(test, customer, (await link.getAttribute('href')) ?? '')).toBe('CREATE_COMPLETE');
    await sweep(test);
    await sweep(test);
    await card.getByText('Connected', { exact: true }).waitFor();
    const token = await tokenOf(test, tenantId, 'agent');
    expect((await askBedrock(test, token)).status).toBe(200);

    await card.getByRole('button', { name: `Disconnect ${customer.accountId}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await card.getByText('Disconnected', { exact: true }).waitFor();
    expect((await askBedrock(test, token)).status).toBe(403);
  });
});
