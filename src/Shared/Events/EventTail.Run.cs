using Bff.Concurrency;

namespace Bff.Events;

/// <content>The read loop.</content>
internal sealed partial class EventTail
{
    /// <summary>Reads the log from the opening of the first stream to the closing of the last one.</summary>
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

        /// <summary>Ends the loop, which then releases its own resources.</summary>
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

        /// <summary>Reads to the end of the log. If the log cannot be read, it is not asked again with every appended event.</summary>
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
