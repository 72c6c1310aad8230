"""Building the site: a construction network, thrown many times; months to N MW, what is critical, GPUs by date."""
