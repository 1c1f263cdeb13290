export const words = 'as first written';
document.title = words;
import.meta.hot?.accept();
