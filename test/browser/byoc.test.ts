import { describe, expect, it } from 'vitest';
import { aConnection, admin, member } from '../support/connections-world.ts';
import { visits } from './visits.ts';

const account = '444455556666';
const visit = visits();

describe('the token', () => {
  it('is taken from the address, and out of it, at once', async () => {
    await visit.open(admin);
    await visit.page.getByText('Organisation: acme').waitFor();
    expect(visit.page.url()).toBe(visit.site.address);
    const kept = await visit.page.evaluate(
      'JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie])',
    );
    expect(kept).toBe('[[],[],""]');
    expect(await visit.page.content()).not.toContain(admin);
    // To the API alone, in its header; in no address.
    expect(visit.requests.map((request) => request.url()).join()).not.toContain('token');
  });

  it('may be typed instead, and does not stay in its field', async () => {
    await visit.open();
    const field = visit.page.getByLabel('Access token');
    expect(await field.getAttribute('type')).toBe('password');
    await visit.page.getByRole('button', { name: 'Open' }).click();
    expect(await visit.textOf('token-error')).toContain('Enter the access token');
    await field.fill(admin);
    await visit.page.getByRole('button', { name: 'Open' }).click();
    await visit.page.getByText('Organisation: acme').waitFor();
    expect(await field.inputValue()).toBe('');
  });

  it('that is refused leads to a fresh one, in plain words', async () => {
    await visit.open('stranger/ann/admin');
    await visit.page.getByRole('alert').getByText('You are not signed in any more').waitFor();
    expect(await visit.page.locator('#token:focus').count()).toBe(1);
    expect(await visit.page.locator('#content').isVisible()).toBe(false);
  });

  it('of another organisation leaves nothing of the first', async () => {
    visit.data().connections = [aConnection()];
    await visit.open(admin);
    await visit.card(account).waitFor();
    await visit.page.evaluate("location.hash = 'token=acme-2/ann/admin'");
    await visit.page.getByText('Organisation: acme-2').waitFor();
    expect(await visit.page.content()).not.toContain(account);
    expect(visit.page.url()).toBe(visit.site.address);
  });
});

describe('B1 connecting an AWS account', () => {
  it('asks, shows the link, and then by itself that the role works', async () => {
    await visit.open(admin);
    await visit.page.getByLabel('AWS account ID').fill('4444-5555-6666');
    await visit.page.getByLabel(/Amazon Bedrock/).check();
    await visit.page.getByLabel('eu-central-1', { exact: true }).check();
    expect(await visit.textOf('created')).toContain(
      'Amazon Bedrock: the role may call foundation models and inference profiles in eu-central-1',
    );
    await visit.page.getByRole('button', { name: 'Get the link' }).click();
    await visit.card(account).getByText('Request sent').waitFor();
    const detail = { version: 1, tenantId: 'acme', requestedBy: 'ann', customerAccountId: account, environment: 'production' };
    expect(visit.site.world.published).toEqual([
      { type: 'RoleConnectionRequested', detail: { ...detail, services: ['bedrock'], regions: ['eu-central-1'] } },
    ]);

    visit.data().connections = [aConnection()];
    const link = visit.card(account).getByRole('link', { name: /Create the role in AWS/ });
    await link.waitFor();
    expect(await link.getAttribute('href')).toContain('console.aws.amazon.com/cloudformation/home');
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
    expect(await visit.card(account).textContent()).toContain('cordon.acme.abcdefgh');

    visit.data().connections = [
      aConnection({
        status: 'active',
        roleArn: `arn:aws:iam::${account}:role/cordon.acme.abcdefgh`,
        verifiedAt: visit.site.world.state.now,
      }),
    ];
    await visit.card(account).getByText('Connected', { exact: true }).waitFor();
    expect(await visit.textOf('news')).toContain(`AWS account ${account}: Connected`);
    expect(
      await visit
        .card(account)
        .getByRole('link', { name: /Create the role/ })
        .count(),
    ).toBe(0);
  });

  it('says what is wrong with what was entered, and sends nothing', async () => {
    await visit.open(admin);
    await visit.page.getByLabel('AWS account ID').fill('12345');
    await visit.page.getByRole('button', { name: 'Get the link' }).click();
    expect(await visit.textOf('account-error')).toBe('Enter the 12 digits of the AWS account ID.');
    expect(await visit.textOf('services-error')).toBe('Choose at least one service.');
    expect(await visit.textOf('regions-error')).toBe('Choose at least one region.');
    expect(await visit.page.locator('#account[aria-invalid=true]:focus').count()).toBe(1);
    expect(visit.requests.filter((request) => request.method() === 'POST')).toEqual([]);
  });

  it("shows the API's own words when it refuses", async () => {
    await visit.open(admin);
    await visit.page.getByLabel('AWS account ID').fill('111122223333');
    await visit.page.getByLabel(/Amazon S3/).check();
    await visit.page.getByLabel('us-east-1', { exact: true }).check();
    await visit.page.getByRole('button', { name: 'Get the link' }).click();
    await visit.page.getByRole('alert').getByText("CustomerAccountId is Cordon's own account").waitFor();
    expect(await visit.page.getByLabel('AWS account ID').inputValue()).toBe('111122223333');
  });

  it('says what a customer has to mend, and asks again', async () => {
    const statusReason = {
      code: 'EXTERNAL_ID_NOT_REQUIRED',
      message: 'The role can be assumed without the external ID.',
      nextStep: 'Update the stack.',
    };
    visit.data().connections = [aConnection({ status: 'rejected', statusReason })];
    await visit.open(admin);
    await visit.card(account).getByText('The role was found, but is not safe to use').waitFor();
    await visit.card(account).getByText('The role can be assumed without the external ID.').waitFor();
    await visit.card(account).getByText('Update the stack.').waitFor();
    await visit.card(account).getByRole('button', { name: 'Check again' }).click();
    await visit.card(account).getByText('Request sent').waitFor();
    expect(visit.site.world.published.map(({ type }) => type)).toEqual(['RoleConnectionRequested']);
  });

  it('is not offered to whoever may not', async () => {
    visit.data().connections = [aConnection()];
    await visit.open(member);
    await visit.page.getByText('Only an administrator of your organisation').waitFor();
    expect(await visit.page.locator('#connect-form').isVisible()).toBe(false);
    expect(await visit.card(account).getByRole('button').count()).toBe(0);
    expect(await visit.page.content()).not.toContain(aConnection().externalId);
  });

  it('disconnects only when it was confirmed', async () => {
    visit.data().connections = [aConnection({ status: 'active' })];
    await visit.open(admin);
    const disconnect = visit.card(account).getByRole('button', { name: `Disconnect ${account}` });
    await disconnect.click();
    await visit.page.getByRole('dialog').getByText('Cordon stops using the role at once.').waitFor();
    await visit.page.keyboard.press('Escape');
    expect(visit.site.world.published).toEqual([]);
    expect(await disconnect.and(visit.page.locator(':focus')).count()).toBe(1);
    await disconnect.click();
    await visit.page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await visit.card(account).getByText('Being disconnected').waitFor();
    visit.data().connections = [aConnection({ status: 'disconnected' })];
    await visit.card(account).getByText('Disconnected', { exact: true }).waitFor();
    expect(visit.site.world.published.map(({ type }) => type)).toEqual(['RoleDisconnectionRequested']);
  });
});

describe('where it is served', () => {
  it('works below any path', async () => {
    await visit.move('/cells/eu-1/api/v7');
    await visit.open(admin);
    await visit.page.getByText('Organisation: acme').waitFor();
    expect(
      visit.requests.every(
        (request) => request.url().startsWith(visit.site.address.replace(/byoc$/, '')) || request.url().startsWith('data:'),
      ),
    ).toBe(true);
  });

  it('is not found a second time below itself', async () => {
    await visit.page.goto(`${visit.site.address}/#token=${admin}`);
    await visit.page.getByText('Organisation: acme').waitFor();
    expect(visit.page.url()).toBe(visit.site.address);
  });
});
