/** Mean of the levels, taken after one turn of the loop. */
export async function settle(levels) {
  await new Promise((resolve) => setImmediate(resolve));
  return levels.reduce((sum, level) => sum + level, 0) / levels.length;
}
