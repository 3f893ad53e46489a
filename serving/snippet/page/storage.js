// Storage outlives the page; where it is denied or full, the page's memory does.

const memory = {};
let disk;
try {
  disk = window.localStorage;
  disk.setItem("kd", 1);
  disk.removeItem("kd");
} catch (e) {
  disk = null;
}

export const get = (k) => memory[k] || (disk && disk.getItem(k));

export function set(k, v) {
  try {
    disk.setItem(k, v);
    delete memory[k];
  } catch (e) {
    memory[k] = v;
  }
}

export function del(k) {
  delete memory[k];
  if (disk) disk.removeItem(k);
}

export const names = () => Object.keys(memory).concat(disk ? Object.keys(disk) : []);

// read is a stored object, empty where there is none.
export const read = (k) => JSON.parse(get(k) || "{}");
