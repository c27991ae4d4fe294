"""Orders in the words of STAR (Standards for Technology in Automotive Retail), and a dealer-management system that speaks them."""
