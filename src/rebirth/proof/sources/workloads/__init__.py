"""What pods, Services, volumes and ways in say."""
