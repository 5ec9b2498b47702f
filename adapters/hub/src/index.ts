export { type Download, type DownloadOptions, type DownloadProgress, downloadModel } from "./download.js";
