// Labels: the requests of one label run in their order on one thread of their own, those of different labels at once.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;

namespace VdiHost
{
    // One thread, and the tasks that wait for it.
    internal sealed class Worker
    {
        private readonly BlockingCollection<Action> tasks = new BlockingCollection<Action>();
        private readonly Thread thread;

        public Worker()
        {
            thread = new Thread(Work) { IsBackground = true };
            thread.Start();
        }

        public void Add(Action task)
        {
            tasks.Add(task);
        }

        public void End()
        {
            tasks.CompleteAdding();
            thread.Join();
        }

        private void Work()
        {
            foreach (Action task in tasks.GetConsumingEnumerable())
            {
                task();
            }
        }
    }

    // The threads of all labels, each started when its label is first heard.
    internal sealed class Labels
    {
        private readonly Dictionary<string, Worker> workers = new Dictionary<string, Worker>();

        public void Run(string label, Action task)
        {
            lock (workers)
            {
                Worker worker;
                if (!workers.TryGetValue(label, out worker))
                {
                    workers[label] = worker = new Worker();
                }
                worker.Add(task);
            }
        }

        // Run tasks of different labels, which begin at the same moment: when the threads of all are free.
        public void RunTogether(IDictionary<string, Action> tasks)
        {
            var gate = new Barrier(tasks.Count);
            foreach (KeyValuePair<string, Action> entry in tasks)
            {
                Action task = entry.Value;
                Run(entry.Key, () =>
                {
                    gate.SignalAndWait();
                    task();
                });
            }
        }

        // End the thread of a label; its next task gets a new one.
        public void End(string label)
        {
            Worker worker;
            lock (workers)
            {
                if (!workers.TryGetValue(label, out worker))
                {
                    return;
                }
                workers.Remove(label);
            }
            worker.End();
        }
    }
}
