// Node reaches WebGPU through Dawn (npm package `webgpu`), and Dawn through Vulkan. On a machine without a GPU the Vulkan
// driver is SwiftShader, which every Chromium carries: these two variables lead Dawn to it.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { findChromium, playwrightFolders } from './chromium.mjs';

const icdName = 'vk_swiftshader_icd.json';
const icdFolders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
const loaderFolders = [
  '/usr/lib',
  '/usr/lib64',
  '/lib',
  '/lib64',
  '/usr/local/lib',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
];

function listing(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A device node with a driver beside it. Mesa's lvp (llvmpipe) is software too, and Dawn refuses the one in Debian 12. */
function hasRealGpu() {
  const drivers = icdFolders.flatMap(listing).filter((name) => name.endsWith('.json') && !name.startsWith('lvp'));
  const isNvidia = existsSync('/dev/nvidia0') && drivers.some((name) => name.startsWith('nvidia'));
  const isDri = listing('/dev/dri').some((name) => name.startsWith('renderD')) && drivers.length > 0;
  return isNvidia || isDri;
}

/** Folder that holds SwiftShader's driver description, or null: beside the system Chromium, or in Playwright's cache. */
export function swiftShaderFolder() {
  const folders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/usr/lib64/chromium-browser', '/opt/google/chrome'];
  const chromium = findChromium();
  if (chromium) folders.unshift(dirname(realpathSync(chromium)));
  for (const folder of playwrightFolders()) folders.push(join(folder, 'chrome-linux'), join(folder, 'chrome-linux64'));
  return folders.find((folder) => existsSync(join(folder, icdName))) ?? null;
}

/**
 * The variables to add to `environment` for WebGPU in Node; empty where nothing need or can be added (a real GPU, a driver
 * already chosen, another system than Linux, no Chromium). They must be set before the process starts: the loader reads
 * LD_LIBRARY_PATH once.
 */
export function gpuEnvironment(environment = process.env) {
  if (process.platform !== 'linux') return {};
  if (environment.VK_ICD_FILENAMES || environment.VK_DRIVER_FILES || hasRealGpu()) return {};
  const folder = swiftShaderFolder();
  if (!folder) return {};
  const added = { VK_ICD_FILENAMES: join(folder, icdName) };
  // The loader asks for it even when nothing is drawn, and complains on every adapter.
  if (!environment.XDG_RUNTIME_DIR) added.XDG_RUNTIME_DIR = tmpdir();
  // Chromium also carries the Vulkan loader, for machines without the package libvulkan1.
  const hasLoader = loaderFolders.some((path) => existsSync(join(path, 'libvulkan.so.1')));
  if (!hasLoader && existsSync(join(folder, 'libvulkan.so.1'))) {
    added.LD_LIBRARY_PATH = [environment.LD_LIBRARY_PATH, folder].filter(Boolean).join(delimiter);
  }
  return added;
}
