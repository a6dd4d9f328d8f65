"""What is drawn over the video: skeletons and the ground's grid through the recovered camera, and the quality strip."""
