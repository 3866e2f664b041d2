import { describe, expect, it } from 'vitest';
import { pageScript } from '../../infra/browser-script.ts';

describe('the script of the page', () => {
  const script = pageScript();

  it('is one classic script that imports nothing and needs nothing of Node', () => {
    expect(script).not.toMatch(/\bimport\s*[("'{*]|\brequire\(|node:|\bprocess\.|\bBuffer\b/);
  });

  it('stores nothing, and makes no markup or code of text', () => {
    expect(script).not.toMatch(
      /localStorage|sessionStorage|indexedDB|document\.cookie|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
    );
  });

  it('reaches its own origin only', () => {
    expect(script.match(/https?:\/\/[^\s"'`)]+/g) ?? []).toEqual([]);
  });
});
