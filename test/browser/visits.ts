import type { Browser, BrowserContext, Locator, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { TenantData } from '../support/connections-world.ts';
import { openSite, type Site } from './byoc-site.ts';
import { launchChromium } from './chromium.ts';

export interface Visits {
  readonly site: Site;
  readonly page: Page;
  /** Every request that left the page. */
  readonly requests: readonly Request[];
  /** Errors of scripts, and whatever the content security policy refused; a test that leaves one fails. */
  readonly complaints: string[];
  /** Opens the page, with a token in its address or without. */
  open(token?: string): Promise<void>;
  /** Goes on in a window of that size. */
  resize(viewport: { readonly width: number; readonly height: number }): Promise<void>;
  /** Goes on at a site whose API lies below `base`. */
  move(base: string): Promise<void>;
  /** What is on record of tenant acme. */
  data(): TenantData;
  card(text: string): Locator;
  textOf(id: string): Promise<string | null>;
  /** All requests as text, headers and bodies included. */
  sent(): Promise<string>;
}

/** For each test of the file a site of its own and a fresh browser context. */
export function visits(): Visits {
  let browser: Browser;
  let context: BrowserContext;
  let site: Site;
  let page: Page;
  const requests: Request[] = [];
  const complaints: string[] = [];

  async function resize(viewport: { readonly width: number; readonly height: number }): Promise<void> {
    await context?.close();
    context = await browser.newContext({ viewport });
    page = await context.newPage();
    requests.length = 0;
    complaints.length = 0;
    page.on('request', (request) => requests.push(request));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // The browser notes a refused request by itself.
      if (message.type() === 'error' && !message.text().includes('the server responded with a status of')) complaints.push(message.text());
    });
  }

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    site = await openSite('/v1');
    await resize({ width: 1024, height: 800 });
  });
  afterEach(async () => {
    await context?.close();
    await site?.close();
    expect(complaints).toEqual([]);
  });

  return {
    get site() {
      return site;
    },
    get page() {
      return page;
    },
    requests,
    complaints,
    async open(token) {
      await page.goto(token === undefined ? site.address : `${site.address}#token=${encodeURIComponent(token)}`);
    },
    resize,
    async move(base) {
      await site.close();
      site = await openSite(base);
    },
    data: () => site.world.dataOf('acme'),
    card: (text) => page.locator('.cards > li', { hasText: text }),
    textOf: (id) => page.locator(`#${id}`).textContent(),
    async sent() {
      const texts = requests.map(async (request) =>
        [request.method(), request.url(), JSON.stringify(await request.allHeaders()), request.postData() ?? ''].join(' '),
      );
      return (await Promise.all(texts)).join('\n');
    },
  };
}
