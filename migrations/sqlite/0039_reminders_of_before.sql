-- Bookings from before there were reminders have none planned. Those to come are looked at by the sweep, a slice at a time: it plans what is
-- planned with every booking, and reminds nobody at that look, which is older than the booking. What was brought over has none by intent.
UPDATE bookings SET remind_at = '1970-01-01T00:00:00+00:00'
WHERE remind_at IS NULL AND status = 'booked' AND guest_of IS NULL AND visitor_source IS NULL AND starts_at > strftime('%Y-%m-%dT%H:%M:%S', 'now')
AND NOT EXISTS (SELECT 1 FROM brought_over b WHERE b.row_id = bookings.id AND b.kind = 'bookings');
