package route

// MaxCached is the bound that tests hold the cache against.
const MaxCached = maxCached

// Len returns how many numbers the cache remembers something of.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}
