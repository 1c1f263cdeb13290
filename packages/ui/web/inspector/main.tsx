import { createRoot } from 'react-dom/client';
import { Inspector } from './app.tsx';

const root = document.querySelector('#app');
if (root !== null) createRoot(root).render(<Inspector />);
