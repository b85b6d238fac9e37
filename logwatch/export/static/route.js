// Which page the address bar asks for: #/source/ADDRESS, else the overview.

const SOURCE = "#/source/";

/** @returns {string | null} the address of the source, null on the overview */
export function route() {
  if (!location.hash.startsWith(SOURCE)) {
    return null;
  }
  try {
    return decodeURIComponent(location.hash.slice(SOURCE.length)) || null;
  } catch {
    return null;
  }
}

/** @param {string} address */
export function sourceLink(address) {
  return `${SOURCE}${encodeURIComponent(address).replaceAll("%3A", ":")}`;
}

/** Whether a search is an address, and so has a page of its own. @param {string} text */
export function isAddress(text) {
  return (
    /^(\d{1,3}\.){3}\d{1,3}$/.test(text) || /^[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,}(\/64)?$/i.test(text)
  );
}

/** The source that a network of one stands for, null for wider ones. @param {string} cidr */
export function sourceOf(cidr) {
  const [address, length] = cidr.split("/");
  const single = address.includes(":") ? "128" : "32";
  if (length === undefined || length === single) {
    return address;
  }
  return length === "64" ? cidr : null;
}
