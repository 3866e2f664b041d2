import { beforeEach, describe, expect, it } from 'vitest';
import { aConnection, aCredential, admin } from '../support/connections-world.ts';
import { visits } from './visits.ts';

const account = '444455556666';
const secretKey = 'sk-proj-THIS-IS-THE-PLAINTEXT-0123456789';
const visit = visits();

describe('everybody can use it', () => {
  beforeEach(() => {
    const findings = [{ code: 'ADMINISTRATOR_WIDE', message: 'The role may do everything in the account, far more than was asked for.' }];
    visit.data().connections = [
      aConnection({ findings, regions: ['us-east-1', 'eu-central-1', 'ap-southeast-2', 'ap-northeast-1'] }),
      aConnection({
        customerAccountId: '777788889999',
        status: 'active',
        roleArn: `arn:aws:iam::777788889999:role/${'cordon.acme.abcdefgh'.repeat(3)}`,
      }),
    ];
    visit.data().credentials = [aCredential('a-credential-with-a-name-as-long-as-it-can-be-48', { status: 'awaiting' })];
  });

  it.each([360, 320])('fits a screen %i pixels wide', async (width) => {
    await visit.resize({ width, height: 740 });
    await visit.open(admin);
    await visit.card(account).waitFor();
    const fits = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth';
    expect(await visit.page.evaluate(fits)).toBe(true);
    await visit.card(account).getByRole('button', { name: 'Disconnect' }).click();
    expect(await visit.page.evaluate(fits)).toBe(true);
  });

  it('labels every field, names every button, and says its language', async () => {
    await visit.open(admin);
    await visit.card(account).waitFor();
    const unnamed = await visit.page.evaluate(
      `[...document.querySelectorAll('input, select, textarea')].filter((field) => ![...field.labels].some((label) => label.textContent.trim())).map(({ id }) => id)
        .concat([...document.querySelectorAll('button, a')].filter((one) => !one.textContent.trim()).map((one) => one.outerHTML))`,
    );
    expect(unnamed).toEqual([]);
    expect(await visit.page.evaluate('document.documentElement.lang')).toBe('en');
    const dangling = await visit.page.evaluate(
      `[...document.querySelectorAll('[aria-describedby], [aria-labelledby]')]
        .flatMap((one) => [one.getAttribute('aria-describedby'), one.getAttribute('aria-labelledby')]).filter(Boolean)
        .flatMap((ids) => ids.split(' ')).filter((id) => !document.getElementById(id))`,
    );
    expect(dangling).toEqual([]);
  });

  it('has text that stands out from its ground, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await visit.page.emulateMedia({ colorScheme });
      await visit.open(admin);
      await visit.card(account).waitFor();
      const weakest = Number(await visit.page.evaluate(weakestContrast));
      // WCAG 2.2, success criterion 1.4.3.
      expect(weakest, colorScheme).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('can be used with the keyboard alone', async () => {
    await visit.open();
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await visit.page.keyboard.press(key);
    };
    const at = () => visit.page.evaluate('document.activeElement.id || document.activeElement.textContent');
    await press('Tab');
    expect(await at()).toBe('token');
    await visit.page.keyboard.type(admin);
    await press('Enter');
    await visit.card(account).waitFor();
    await tabTo('account');
    await visit.page.keyboard.type('999900001111');
    await tabTo('service-s3');
    await press('Space');
    await tabTo('region-eu-west-1');
    await press('Space', 'Enter');
    await visit.card('999900001111').waitFor();
    expect(visit.site.world.published.map(({ type }) => type)).toEqual(['RoleConnectionRequested']);
    await tabTo('secret');
    await visit.page.keyboard.type(secretKey);
    await press('Enter');
    await visit.page.getByText('was tried, works').waitFor();
    expect(visit.site.supplied).toHaveLength(1);

    async function tabTo(id: string): Promise<void> {
      for (let presses = 0; presses < 60; presses += 1) {
        if ((await at()) === id) return;
        await press('Tab');
      }
      throw new Error(`${id} cannot be reached by the key Tab`);
    }
  });

  it('keeps the focus where it is while the list is drawn anew', async () => {
    await visit.open(admin);
    const disconnect = visit.card(account).getByRole('button', { name: 'Disconnect' });
    await disconnect.focus();
    visit.data().connections = [aConnection({ probedAt: visit.site.world.state.now }), ...visit.data().connections.slice(1)];
    await visit.card(account).getByText('Last checked').waitFor();
    expect(await disconnect.and(visit.page.locator(':focus')).count()).toBe(1);
  });

  it('goes on by itself when Cordon could not be reached for a moment', async () => {
    await visit.page.route('**/connections', (route) => route.abort(), { times: 1 });
    await visit.open(admin);
    await visit.card(account).waitFor();
    expect(visit.complaints.splice(0)).toEqual([expect.stringContaining('ERR_FAILED')]);
  });
});

/** The lowest contrast between a text and what lies behind it. Source: WCAG 2.2, "contrast ratio" and "relative luminance". */
const weakestContrast = `(() => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
  const groundOf = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const ground = channels(getComputedStyle(at).backgroundColor);
      if (ground.length === 3 || ground[3] > 0) return ground;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return Math.min(...texts.map((one) => {
    const [a, b] = [luminance(channels(getComputedStyle(one).color)), luminance(groundOf(one))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }));
})()`;
