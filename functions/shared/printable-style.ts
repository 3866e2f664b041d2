/** Black on white, as it will be printed; what is not confirmed is marked by a border and by words, not by colour alone. */
export const style = `
body { margin: 0 auto; max-width: 70rem; padding: 1rem; font: 0.95rem/1.5 system-ui, sans-serif; color: #1a1d21; background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 1.5rem 0 0.5rem; } h3 { font-size: 1rem; margin: 1rem 0 0.25rem; } small { font-weight: normal; color: #4a5159; }
dl { margin: 0.5rem 0; } dl div { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: 0 1rem; padding: 0.1rem 0; } dt { color: #4a5159; } dd { margin: 0; }
table { width: 100%; border-collapse: collapse; margin: 0.5rem 0; } th, td { border: 1px solid #7a828c; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
th { background: #f4f6f8; overflow-wrap: normal; } .good { border-left: 0.4rem solid #1a6b35; padding-left: 0.75rem; } .bad { border-left: 0.4rem solid #a5161d; padding-left: 0.75rem; }
@media print {
  @page { margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 9pt; }
  h2, h3 { break-after: avoid; } tr, dl { break-inside: avoid; } thead { display: table-header-group; }
  th, .good, .bad { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
