// Lets the browser keep bytes as a file.

export function download(name: string, type: string, bytes: Uint8Array | string): void {
  const url = URL.createObjectURL(new Blob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // What was asked for is being read by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
