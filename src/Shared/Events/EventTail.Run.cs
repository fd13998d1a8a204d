using Bff.Concurrency;

namespace Bff.Events;

/// <content>The reading itself.</content>
internal sealed partial class EventTail
{
    /// <summary>From the first stream's arrival to the last one's leaving.</summary>
    private sealed class Run : IDisposable
    {
        private readonly EventTail _tail;
        private readonly CancellationTokenSource _stopping = new();
        private readonly CancellationToken _stopped;
        private readonly Signal _wake = new();
        private long _number;

        public Run(EventTail tail)
        {
            _tail = tail;
            _stopped = _stopping.Token;
            Started = Task.Run(Start);
        }

        public Task Started { get; }

        public EventId Position { get; set; }

        /// <summary>Ends the loop, which lets go of the rest by itself.</summary>
        public void Dispose() => _stopping.Cancel();

        private async Task Start()
        {
            var end = await _tail._log.End(_stopped);
            Position = end.Id;
            _number = end.Number;
            _ = Follow();
        }

        private async Task Follow()
        {
            using var appended = _tail._log.OnAppended(_wake.Set);
            await using var timer = _tail._time.CreateTimer(static run => ((Run)run!).Tick(), this, LookEvery, LookEvery);
            await _wake.Follow(Look, _stopped);
        }

        /// <summary>Where the log cannot be read, it is not asked again with every event that is appended.</summary>
        private async Task Look(CancellationToken stopped)
        {
            while (!await _tail._loop.Try(_ => ReadToEnd(), stopped))
            {
                await Task.Delay(LookEvery, _tail._time, stopped);
            }
        }

        private async Task ReadToEnd()
        {
            while (true)
            {
                var page = await _tail._log.ReadAll(Position, PageSize, _stopped);
                // After a failover the log may have lost its end.
                var isGap = !page.IsComplete || (page.Events.Count > 0 && page.FirstNumber != _number + 1);
                if (page.Events.Count > 0)
                {
                    _number = page.FirstNumber + page.Events.Count - 1;
                }

                _tail.Offer(this, page, isGap);
                if (page.Events.Count < PageSize)
                {
                    return;
                }
            }
        }

        private void Tick()
        {
            _wake.Set();
            _tail.Tick();
        }
    }
}
