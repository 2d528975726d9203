const body = document.querySelector('tbody'), count = document.querySelector('output');
const heads = [...document.querySelectorAll('thead th')];
const value = (row, i) => row.cells[i].dataset.sort ?? row.cells[i].textContent.trim();
heads.forEach((head, i) => head.querySelector('button').addEventListener('click', () => {
  const up = head.getAttribute('aria-sort') !== 'ascending';
  heads.forEach(each => each.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  const rows = [...body.rows].sort((a, b) => {
    const x = value(a, i), y = value(b, i);
    if (!x || !y) return !x - !y;
    return (up ? 1 : -1) * x.localeCompare(y, undefined, { numeric: true });
  });
  body.append(...rows);
}));
document.querySelector('input').addEventListener('input', event => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const row of body.rows) {
    row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
    shown += !row.hidden;
  }
  count.textContent = `${shown} of ${body.rows.length} shown`;
});
