// Before the page is drawn: the colours that the reader chose the last time, and that there is somebody to draw charts.

const root = document.documentElement;
root.classList.add('js');
try {
  const theme = localStorage.getItem('dragoman-report-theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
} catch {
  // A browser that keeps nothing for files.
}
