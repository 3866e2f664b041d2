import { accessSync, constants } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const usualPlaces = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** A real browser; without one this fails and says what to install. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: ['--disable-dev-shm-usage'] });
}

/** `CHROMIUM_PATH`, or where Chromium usually is. */
function chromiumPath(): string {
  const named = process.env['CHROMIUM_PATH'];
  const found = (named === undefined || named === '' ? usualPlaces : [named]).find(isExecutable);
  if (found !== undefined) return found;
  const looked = named ? `CHROMIUM_PATH is ${named}, which cannot be run` : `there is none at ${usualPlaces.join(', ')}`;
  throw new Error(
    `These tests need Chromium: ${looked}. Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to a Chromium or Chrome that is installed.`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
